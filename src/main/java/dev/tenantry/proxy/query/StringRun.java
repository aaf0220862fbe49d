package dev.tenantry.proxy.query;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs the statements of one Query message one by one, where they can't go to one node as they are. PostgreSQL runs
 * such a string as one implicit transaction ("Multiple Statements in a Simple Query"), and so does this. Lives on the
 * client's event loop.
 */
public final class StringRun {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final SimpleQueries queries;
    private final SessionContext context;
    private final List<byte[]> parts = new ArrayList<>();
    private boolean active;
    private boolean behind;
    private boolean failed;
    private boolean cancelled;
    private int next;

    public StringRun(QueryTools tools, SimpleQueries queries) {
        this.session = tools.session();
        this.context = tools.context();
        this.dispatcher = tools.dispatcher();
        this.cluster = tools.cluster();
        this.queries = queries;
    }

    public boolean isActive() {
        return active;
    }

    /** Begins; the client's further messages wait until it has ended. */
    public void start(List<StatementFacts> statements, byte[] text) {
        parts.clear();
        for (StatementFacts facts : statements) {
            parts.add(java.util.Arrays.copyOfRange(text, facts.start(), facts.end()));
        }
        begin();
        if (!session.transaction().isOpen()) {
            session.transaction().beginImplicit();
        }
    }

    /** The client has cancelled the string: what of it has not begun yet never does. */
    public void cancel() {
        cancelled = active;
    }

    /** The same as {@link #start} for a message that has been handed on already and is all there is to run. */
    public void startBehind() {
        parts.clear();
        begin();
        behind = true;
    }

    private void begin() {
        next = 0;
        failed = false;
        cancelled = false;
        active = true;
        behind = false;
        context.inString(true);
    }

    /** Goes on as far as it can now. */
    public void proceed() {
        while (active && !dispatcher.isBusy() && session.ledger().isEmpty()) {
            failed |= context.takeBatchFailed();
            refuse(dispatcher.takeFailure());
            if (cancelled && next < parts.size()) {
                refuse(SqlErrors.cancelled());
            }
            if (failed || next == parts.size()) {
                finish();
            } else if (!part(parts.get(next))) {
                return;
            }
        }
    }

    private void refuse(@Nullable SqlError error) {
        if (error != null && !failed) {
            queries.refuse(error);
            failed = context.takeBatchFailed();
        }
    }

    private boolean part(byte[] text) {
        if (!session.transaction().isOpen()) {
            session.transaction().beginImplicit();
        }
        if (next == parts.size() - 1) {
            context.lastInString();
        }
        ByteBuf message = Unpooled.buffer(text.length + 6);
        FrontendMessages.query(message, text, 0, text.length);
        int length = message.readableBytes();
        Verdict verdict =
                queries.onQuery(message, 0, length, length, session.settings().lexicalRules());
        if (verdict == Verdict.WAIT) {
            message.release();
            return false;
        }
        next++;
        BackendConnection backend = session.backends().active();
        if (verdict == Verdict.FORWARD && backend != null) {
            backend.write(message);
            backend.flush();
        } else {
            message.release();
        }
        return true;
    }

    private void finish() {
        if (session.transaction().isImplicit()) {
            if (!cluster.endImplicit(!failed, last())) {
                return;
            }
        } else {
            cluster.sayReady();
        }
        active = false;
        context.inString(false);
    }

    /** What PostgreSQL says of a string when its transaction has committed, and not before. */
    private Consumer<ByteBuf> last() {
        String tag = context.completedLast();
        if (tag != null) {
            return out -> BackendMessages.commandComplete(out, tag);
        }
        return parts.isEmpty() && !behind
                ? out -> BackendMessages.bodiless(out, BackendType.EMPTY_QUERY_RESPONSE)
                : out -> {};
    }
}
