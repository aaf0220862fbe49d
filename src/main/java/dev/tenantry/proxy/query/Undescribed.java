package dev.tenantry.proxy.query;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The statement that the client's last message has prepared. What the server says of its result is kept, so that it can
 * be compared when the statement is prepared on another connection: if the client does not ask with its next message,
 * we do, right behind the one that has prepared it, where that can't fail. An unnamed statement that is bound at once
 * will hardly be bound again, and is let alone. Not thread-safe; lives on the client's event loop.
 */
final class Undescribed {
    private final Conversation session;
    private final Dispatcher.Owner owner;
    private @Nullable Object prepared;
    private @Nullable BackendConnection on;
    private String name = "";
    private long noted;

    Undescribed(Conversation session, Dispatcher.Owner owner) {
        this.session = session;
        this.owner = owner;
    }

    /** A Parse message is on its way to this backend. */
    void parsed(Prepared statement, BackendConnection backend) {
        if (statement.isCompared()) {
            note(statement, statement.name(), backend);
        }
    }

    /** So is an Execute of SQL's PREPARE of that name. */
    void prepared(String newName, BackendConnection backend) {
        note(newName, newName, backend);
    }

    private void note(Object effect, String newName, BackendConnection backend) {
        prepared = effect;
        name = newName;
        on = backend;
        noted = session.ledger().noted();
    }

    /** The next message has come, and does not end the batch. */
    void describeNamed() {
        if (prepared != null) {
            if (name.isEmpty()) {
                prepared = null;
            }
            describe();
        }
    }

    /** The next message is Describe, of this statement or of something else. */
    void describeUnless(@Nullable Prepared asked) {
        if (prepared == asked) {
            prepared = null;
        }
        describeNamed();
    }

    /** The next message has come. */
    void describe() {
        Object effect = prepared;
        BackendConnection backend = on;
        if (effect == null || backend == null) {
            return;
        }
        prepared = null;
        on = null;
        boolean isLast = session.ledger().noted() == noted && !session.ledger().isSkipping();
        if (isLast && session.backends().active() == backend && !backend.isClosed()) {
            owner.flushClientRun();
            ByteBuf out = backend.channel().alloc().buffer(name.length() + 8);
            FrontendMessages.describeStatement(out, name);
            backend.write(out);
            session.ledger().expect(Expected.DESCRIBE, true, effect);
            session.backends().extended(false);
        }
    }
}
