package dev.tenantry.proxy.server;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.ClientOutlet;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.ProtocolViolation;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * What becomes of the messages of COPY FROM STDIN, and of others that come between them: a server ignores Flush and
 * Sync, and ends the session when it reads anything else ("COPY Operations" in "Message Flow"). Lives on the client's
 * event loop.
 */
final class CopyInput {
    private final Conversation session;
    private final ClientOutlet client;
    private final Consumer<SqlError> end;

    /** {@code end} tells the client an error and ends the session. */
    CopyInput(Conversation session, ClientOutlet client, Consumer<SqlError> end) {
        this.session = session;
        this.client = client;
        this.end = end;
    }

    /** Whether a node waits for the client's data, so that {@link #next} says what becomes of each message. */
    boolean isAwaited() {
        return session.ledger().isCopyIn();
    }

    /** A message comes while data is awaited. */
    Verdict next(byte type) {
        return switch (type) {
            case FrontendType.COPY_DATA, FrontendType.COPY_DONE, FrontendType.COPY_FAIL -> copy(type);
            case FrontendType.FLUSH, FrontendType.SYNC -> Verdict.SKIP;
            default -> {
                violated(String.format(
                        Locale.ROOT, "unexpected message type 0x%02X during COPY from stdin", type & 0xff));
                yield Verdict.SKIP;
            }
        };
    }

    /** CopyData, CopyDone or CopyFail, whether data is awaited or not. */
    Verdict copy(byte type) {
        if (type != FrontendType.COPY_DATA && session.ledger().copyEnded()) {
            session.backends().extended(true); // a Sync that was sent before this did not end the batch
        }
        // Outside COPY, PostgreSQL ignores what a client still sends of one that has failed ("COPY Operations").
        return session.backends().active() != null && !session.ledger().isEmpty() ? Verdict.FORWARD : Verdict.SKIP;
    }

    /** The client has said something else than data that no node has seen, before it was told to send data. */
    void passedOver() {
        session.backends().loop().execute(() -> {
            if (isAwaited()) {
                violated("unexpected message during COPY from stdin");
            }
        });
    }

    /** Says both errors that a server says: what was wrong, and that it does not know where the next message begins. */
    private void violated(String message) {
        BackendConnection active = session.backends().active();
        if (active == null || !active.isInsideBody()) {
            if (active != null) {
                active.flushRun();
            }
            SqlError error = SqlError.error(ProtocolViolation.PROTOCOL_VIOLATION, message);
            ByteBuf out = client.allocator().buffer(128);
            session.replies().error(out, error);
            client.write(out);
        }
        end.accept(SqlError.fatal(
                ProtocolViolation.PROTOCOL_VIOLATION,
                "terminating connection because protocol synchronization was lost"));
    }
}
