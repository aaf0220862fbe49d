package dev.tenantry.proxy.query;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** What Sync does: ends the batch and the transaction that the batch has begun. Lives on the client's event loop. */
final class BatchEnd {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final StatementAnalyzer analyzer;
    private final Portals portals;

    BatchEnd(QueryTools tools) {
        this.session = tools.session();
        this.dispatcher = tools.dispatcher();
        this.cluster = tools.cluster();
        this.analyzer = tools.analyzer();
        this.portals = tools.statements().portals();
    }

    /**
     * Sync.
     *
     * @param skipped whether an error has made the batch void
     * @param whole whether the message is what it should be; one with a body fails, and what the batch has done with it
     */
    Verdict sync(boolean skipped, boolean whole) {
        if (session.transaction().isImplicit()) {
            return endImplicit(skipped, whole);
        }
        BackendConnection active = session.backends().active();
        boolean forwards = active != null && session.backends().isUnsynced();
        if (!forwards && !dispatcher.isQuiet()) {
            return Verdict.WAIT; // what is owed may fail, and decides what this Sync tells
        }
        if (active != null && forwards) {
            if (skipped) {
                rollBack(active);
            }
            session.ledger().expect(Expected.SYNC, false, null);
            session.backends().synced();
            return Verdict.FORWARD;
        }
        if (!whole) {
            refuse();
        }
        if (!session.transaction().isOpen()) {
            portals.clear();
        }
        cluster.sayReady();
        return Verdict.SKIP;
    }

    private Verdict endImplicit(boolean skipped, boolean whole) {
        if (!whole) {
            if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
                return Verdict.WAIT;
            }
            refuse();
        }
        if (!cluster.endImplicit(!skipped && whole, out -> {})) {
            return Verdict.WAIT;
        }
        portals.clear();
        return Verdict.SKIP;
    }

    private void refuse() {
        session.transaction().fail();
        session.replies().error(SqlErrors.invalidFormat().error());
    }

    /** An error of our own in a Query ends the batch that comes before it without Sync. */
    void undo() {
        BackendConnection active = session.backends().active();
        if (active == null || !session.backends().isUnsynced()) {
            return;
        }
        if (rollBack(active)) {
            session.backends().synced();
        } else {
            dispatcher.isQuiet(); // or its replies, which come before the error, might never come
        }
        if (!session.transaction().isOpen()) {
            portals.clear();
        }
    }

    /**
     * Undoes what the node has executed of a batch that an error of our own has cut off: to the node nothing is wrong
     * with it, so its Sync would commit.
     *
     * @return whether there was something
     */
    private boolean rollBack(BackendConnection active) {
        if (!session.backends().isExecuted() || session.transaction().isOpen()) {
            return false;
        }
        byte[] sql = "ROLLBACK".getBytes(StandardCharsets.US_ASCII);
        StatementFacts facts = analyzer.analyze(Unpooled.wrappedBuffer(sql), 0, sql.length, LexicalRules.DEFAULT)
                .getFirst();
        cluster.owner().flushClientRun();
        ByteBuf out = active.channel().alloc().buffer(16);
        FrontendMessages.query(out, sql, 0, sql.length);
        active.write(out);
        active.prepared().remove(""); // a simple query ends the unnamed statement
        session.ledger().expect(Expected.QUERY, true, new Effects.Confirmed(facts, BoundParameters.NONE, "ROLLBACK"));
        return true;
    }
}
