package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy itself says to the client, in its place among the replies of the nodes. Lives on the client's event
 * loop.
 */
public final class Replies {
    private final ClientOutlet client;
    private final ReplyLedger ledger;
    private final SessionBackends backends;

    public Replies(ClientOutlet client, ReplyLedger ledger, SessionBackends backends) {
        this.client = client;
        this.ledger = ledger;
        this.backends = backends;
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

    /** Says what has become due. */
    public void drain() {
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
        BackendMessages.error(out, error);
        send(out);
    }
}
