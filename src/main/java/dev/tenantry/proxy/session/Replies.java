package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.ErrorFields;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy itself says to the client, in its place among the replies of the nodes. Lives on the client's event
 * loop.
 */
public final class Replies {
    private final ClientOutlet client;
    private final ReplyLedger ledger;
    private final SessionBackends backends;
    private final Consumer<String> errors;
    private final ArrayDeque<ByteBuf> asides = new ArrayDeque<>(0);

    /** {@code errors} counts the errors by SQLSTATE. */
    public Replies(ClientOutlet client, ReplyLedger ledger, SessionBackends backends, Consumer<String> errors) {
        this.client = client;
        this.ledger = ledger;
        this.backends = backends;
        this.errors = errors;
    }

    public ByteBuf buffer() {
        return client.allocator().buffer(128);
    }

    /** Says it when everything before it has been answered; owns the buffer. */
    public void send(ByteBuf reply) {
        if (ledger.isEmpty() && !ledger.isSkipping()) {
            BackendConnection active = backends.active();
            if (active != null) {
                active.flushRun();
            }
            client.write(reply);
        } else {
            ledger.makeUp(reply);
        }
    }

    /** Hands on what a node tells that nothing asked for, between two messages of the active one; owns the buffer. */
    public void aside(ByteBuf message) {
        asides.add(message);
        BackendConnection active = backends.active();
        if (active == null || !active.isInsideBody()) {
            sayAsides();
            client.flush();
        }
    }

    private void sayAsides() {
        BackendConnection active = backends.active();
        if (active != null) {
            active.flushRun();
        }
        while (!asides.isEmpty()) {
            client.write(asides.removeFirst());
        }
    }

    /** The client is gone. */
    void clear() {
        asides.forEach(ByteBuf::release);
        asides.clear();
    }

    /** Says what has become due; only between two messages of the active backend. */
    public void drain() {
        if (!asides.isEmpty()) {
            sayAsides();
        }
        ByteBuf reply = ledger.takeMadeUp();
        if (reply == null) {
            return;
        }
        BackendConnection active = backends.active();
        if (active != null) {
            active.flushRun();
        }
        while (reply != null) {
            client.write(reply);
            reply = ledger.takeMadeUp();
        }
    }

    /** A message without a body. */
    public void bodiless(byte type) {
        ByteBuf out = buffer();
        BackendMessages.bodiless(out, type);
        send(out);
    }

    /** CommandComplete, and ReadyForQuery behind it in the simple protocol. */
    public void completed(String tag, @Nullable Byte readyStatus) {
        ByteBuf out = buffer();
        BackendMessages.commandComplete(out, tag);
        if (readyStatus != null) {
            BackendMessages.readyForQuery(out, readyStatus);
        }
        send(out);
    }

    /** ReadyForQuery. */
    public void ready(byte status) {
        ByteBuf out = buffer();
        BackendMessages.readyForQuery(out, status);
        send(out);
    }

    /** ErrorResponse or NoticeResponse. */
    public void error(SqlError error) {
        ByteBuf out = buffer();
        error(out, error);
        send(out);
    }

    /** Writes ErrorResponse or NoticeResponse into what is about to be said. */
    public void error(ByteBuf out, SqlError error) {
        BackendMessages.error(out, error);
        if (error.severity() == SqlError.Severity.ERROR || error.severity() == SqlError.Severity.FATAL) {
            errors.accept(error.sqlState());
        }
    }

    /** Writes a whole ErrorResponse of a node. */
    public void error(ByteBuf out, byte[] message) {
        errors.accept(ErrorFields.field(Unpooled.wrappedBuffer(message), 0, message.length, 'C'));
        out.writeBytes(message);
    }
}
