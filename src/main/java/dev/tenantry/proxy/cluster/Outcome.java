package dev.tenantry.proxy.cluster;

import dev.tenantry.proxy.session.Replies;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What became of the work: its command tag, or the error message that a node or we have for the client. */
@SuppressWarnings("ArrayRecordComponent") // written once and forgotten
record Outcome(String tag, byte @Nullable [] error) {
    private static final System.Logger LOG = System.getLogger(Outcome.class.getName());

    /** What comes of work that runs on nodes and returns its command tag. */
    static Outcome of(Supplier<String> work) {
        try {
            return new Outcome(work.get(), null);
        } catch (NodeError said) {
            return new Outcome("", said.message());
        } catch (SqlErrorException refused) {
            return failed(refused.error());
        } catch (RuntimeException ours) {
            LOG.log(System.Logger.Level.ERROR, "cluster statement failed", ours);
            return failed(
                    SqlError.error("XX000", "internal error: " + ours.getClass().getSimpleName()));
        }
    }

    boolean worked() {
        return error == null;
    }

    /** This, unless the client has yet to hear why a node is lost: without an error it would not know of it. */
    Outcome unless(@Nullable SqlError untold) {
        return untold == null || !worked() ? this : failed(untold);
    }

    /** This, or that it was a deadlock where it was cancelled: that was done to end one. */
    Outcome asDeadlock() {
        boolean cancelled = error != null && new NodeError(error).sqlState().equals("57014");
        return cancelled ? failed(SqlErrors.deadlock()) : this;
    }

    void write(ByteBuf out, Replies replies) {
        if (error == null) {
            BackendMessages.commandComplete(out, tag);
        }
        writeError(out, replies);
    }

    void writeError(ByteBuf out, Replies replies) {
        if (error != null) {
            replies.error(out, error);
        }
    }

    /** Nothing came of it. */
    static Outcome failed(SqlError error) {
        ByteBuf out = Unpooled.buffer(256);
        BackendMessages.error(out, error);
        return new Outcome("", ByteBufUtil.getBytes(out));
    }
}
