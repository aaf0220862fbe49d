package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementKind;
import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;

/**
 * Statements that go back to what the client has asked for at start-up, where its connections have not begun with that
 * because others share them: RESET, SET TO DEFAULT, DISCARD ALL. The node does its part, then the session's own
 * settings are brought to it. On the client's event loop, but for the work itself.
 */
final class StartupResets {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final SessionContext context;
    private final ClusterStatements cluster;

    StartupResets(Conversation session, Dispatcher dispatcher, SessionContext context, ClusterStatements cluster) {
        this.session = session;
        this.dispatcher = dispatcher;
        this.context = context;
        this.cluster = cluster;
    }

    /** Whether a statement is one of these. */
    boolean takes(StatementFacts facts) {
        SessionSettings settings = session.settings();
        return switch (facts.action()) {
            case StatementAction.ResetVariable(String name, boolean local) ->
                settings.hasBegunWith(name) && (!local || session.transaction().isOpen());
            case StatementAction.ResetAll() -> settings.hasBegunWithAny();
            case StatementAction.Discard discard ->
                discard.equals(StatementAction.Discard.ALL) && settings.hasBegunWithAny();
            default -> false;
        };
    }

    /** Runs one, in a session that is quiet and in no block that has failed. */
    Verdict run(StatementFacts facts, Turn turn) {
        TransactionScope transaction = session.transaction();
        boolean discards = facts.action().equals(StatementAction.Discard.ALL);
        if (turn == Turn.EXECUTE && !transaction.isOpen() && !discards) {
            transaction.beginImplicit(); // what fails later in the batch undoes it
        }
        Node node = context.anyNode();
        BackendConnection backend = dispatcher.ready(node);
        if (backend == null || !dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        cluster.work(() -> {
            NodeCalls calls = cluster.calls();
            Outcome outcome = Outcome.of(() -> {
                sweep(calls, backend, facts.action());
                calls.onLoop(() -> settle(facts, backend, tag(facts)));
                calls.enlist(node);
                return tag(facts);
            });
            answer(calls, outcome, turn);
        });
        return Verdict.SKIP;
    }

    /** What the node itself has to go back from, which the session may not know of. */
    private void sweep(NodeCalls calls, BackendConnection backend, StatementAction action) {
        if (action instanceof StatementAction.ResetVariable(String name, boolean local)) {
            calls.onLoop(() -> forget(backend, name, local));
            return;
        }
        boolean discards = action.equals(StatementAction.Discard.ALL);
        ByteBuf out = backend.channel().alloc().buffer(32);
        FrontendMessages.query(out, discards ? "DISCARD ALL" : "RESET ALL");
        calls.call(backend, out, 1);
        calls.onLoop(() -> {
            if (discards) {
                backend.label(null);
                backend.prepared().clear();
            } else if (session.transaction().isEnlisted(backend)) {
                backend.openLabel(SessionSettings.withoutAll(session.settings().current()));
            } else {
                backend.label(
                        SessionSettings.withoutAll(session.settings().current()).session());
            }
        });
    }

    /** The node is told the value whatever it is thought to have: a routine may have set another there. */
    private void forget(BackendConnection backend, String name, boolean local) {
        SessionSettings.State had = session.settings().current().without(name, local);
        if (session.transaction().isEnlisted(backend)) {
            backend.openLabel(had);
        } else {
            backend.label(had.session());
        }
    }

    private void settle(StatementFacts facts, BackendConnection backend, String tag) {
        cluster.owner().settle(new Effects.Confirmed(facts, BoundParameters.NONE, ""), tag);
        if (!session.transaction().isOpen()) {
            session.settings().end(true);
            Effects.noteReset(facts.action(), backend);
        }
        if (facts.action().equals(StatementAction.Discard.ALL)) {
            session.backends().discardedAll();
        }
    }

    private void answer(NodeCalls calls, Outcome outcome, Turn turn) {
        boolean tellsLater = outcome.worked()
                && turn == Turn.LAST_PART
                && session.transaction().isImplicit();
        cluster.answer(calls, out -> tell(outcome, tellsLater, out), outcome.worked(), turn, () -> {
            if (!outcome.worked()) {
                session.transaction().fail();
            }
        });
    }

    private void tell(Outcome outcome, boolean later, ByteBuf out) {
        if (later) {
            context.completed(outcome.tag());
        } else {
            outcome.write(out, session.replies());
        }
    }

    private static String tag(StatementFacts facts) {
        return facts.action().equals(StatementAction.Discard.ALL)
                ? "DISCARD ALL"
                : facts.kind() == StatementKind.SET ? "SET" : "RESET";
    }
}
