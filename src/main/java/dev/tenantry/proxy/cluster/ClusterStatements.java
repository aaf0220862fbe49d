package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Statements that the session carries out itself, on several nodes or none: transaction control that no node has to
 * know of yet, DDL of schemas, DDL that is the same on every node, the end of what clients have prepared. The work is
 * done on a virtual thread while the client's messages wait; everything else here is on the client's event loop.
 */
public final class ClusterStatements {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final Dispatcher.Owner owner;
    private final SessionContext context;
    private final CatalogOverlay catalog;
    private final ClusterServices services;
    private final StartupResets resets;
    private final PreparedTransactions prepared;

    public ClusterStatements(
            Conversation session,
            Dispatcher dispatcher,
            Dispatcher.Owner owner,
            SessionContext context,
            CatalogOverlay catalog,
            ClusterServices services) {
        this.session = session;
        this.dispatcher = dispatcher;
        this.owner = owner;
        this.context = context;
        this.catalog = catalog;
        this.services = services;
        this.resets = new StartupResets(session, dispatcher, context, this);
        this.prepared = new PreparedTransactions(session, context, this);
    }

    public Dispatcher.Owner owner() {
        return owner;
    }

    /** Whether the session carries a statement out: DDL, or what goes back to settings that only the session knows. */
    public boolean takes(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.CreateSchema create -> true;
            case StatementAction.DropSchema drop -> true;
            case StatementAction.RenameSchema rename -> true;
            case StatementAction.AlterSchemaOwner alter -> true;
            case StatementAction.OnSchemas on -> true;
            case StatementAction.EveryNode every -> true;
            case StatementAction.FinishPrepared finish -> true;
            default -> resets.takes(facts);
        };
    }

    public boolean takesAny(List<StatementFacts> statements) {
        return statements.stream().anyMatch(this::takes);
    }

    /** Whether a prepared statement is answered here and reaches a node only when it is executed, if at all. */
    public boolean isLocal(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.Begin begin -> true;
            case StatementAction.Commit commit -> true;
            case StatementAction.Rollback rollback -> true;
            case StatementAction.Savepoint savepoint -> true;
            case StatementAction.Release release -> true;
            case StatementAction.RollbackTo rollbackTo -> true;
            case StatementAction.SetTransaction modes -> true;
            case StatementAction.OnCursor(Optional<String> name) -> name.isEmpty();
            case StatementAction.ShowActivity show -> true;
            case StatementAction.ExplainRoute explain -> true;
            default -> takes(facts);
        };
    }

    public boolean isLocal(Prepared prepared) {
        StatementFacts facts = prepared.facts();
        return facts != null && isLocal(facts);
    }

    /** Execute of a statement that is answered here. */
    public Verdict execute(Prepared prepared, StatementFacts facts) {
        TransactionScope transaction = session.transaction();
        if (isForAll(facts)) {
            return onAll(facts, prepared.text(), Turn.EXECUTE);
        }
        switch (facts.action()) {
            case StatementAction.Begin begin -> {
                if (transaction.isImplicit()
                        || !transaction.isOpen() && !session.backends().isUnsynced()) {
                    return begin(begin, Turn.EXECUTE);
                }
            }
            case StatementAction.Commit commit -> {
                if (endsHere(true, commit.chain())) {
                    return end(true, commit.chain(), Turn.EXECUTE);
                }
            }
            case StatementAction.Rollback rollback -> {
                if (endsHere(false, rollback.chain())) {
                    return end(false, rollback.chain(), Turn.EXECUTE);
                }
            }
            case StatementAction.Savepoint _, StatementAction.Release _, StatementAction.RollbackTo _ -> {
                requireBlock(facts);
            }
            case StatementAction.SetTransaction _, StatementAction.OnCursor _ -> {
                // only one node is concerned
            }
            default -> {
                // Without what stands around it: positions in it are counted from its start.
                return run(facts, prepared.text().substring(facts.start(), facts.end()), Turn.EXECUTE);
            }
        }
        return inject(prepared, facts);
    }

    /** BEGIN, which no node has to know of yet; inside an implicit block it makes that the client's own. */
    public Verdict begin(StatementAction.Begin begin, Turn turn) {
        TransactionScope transaction = session.transaction();
        String tag = begin.startTransaction() ? "START TRANSACTION" : "BEGIN";
        if (!transaction.participants().isEmpty() && !begin.modes().isEmpty()) {
            return beginInside(begin, tag, turn);
        }
        if (transaction.isImplicit()) {
            transaction.makeExplicit();
        } else {
            transaction.begin();
        }
        session.settings().begin(begin.modes());
        session.replies().completed(tag, turn.isFollowedByReady() ? (Byte) (byte) 'T' : null);
        return Verdict.SKIP;
    }

    /** The nodes say whether it is too late for the modes. */
    private Verdict beginInside(StatementAction.Begin begin, String tag, Turn turn) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        List<BackendConnection> participants = occupied();
        String modes = begin.modes().stream()
                .filter(mode -> mode.value() instanceof StatementAction.SettingValue.Text)
                .map(mode -> "SET LOCAL " + mode.name() + " TO '"
                        + ((StatementAction.SettingValue.Text) mode.value()).text() + "'")
                .collect(Collectors.joining("; "));
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = Outcome.of(() -> {
                participants.forEach(participant -> calls.call(participant, modes));
                return tag;
            });
            answer(calls, outcome, turn, () -> {
                if (outcome.worked()) {
                    session.transaction().makeExplicit();
                    session.settings().begin(begin.modes());
                } else {
                    session.transaction().fail();
                }
            });
        });
        return Verdict.SKIP;
    }

    /** Whether COMMIT or ROLLBACK is not simply the one node's business. */
    public boolean endsHere(boolean commit, boolean chain) {
        TransactionScope transaction = session.transaction();
        return transaction.isOpen()
                && (transaction.main() == null
                        || transaction.isDistributed()
                        || (commit || chain) && transaction.isFailed()
                        || chain && transaction.hasFailedChained()
                        || commit && catalog.isChanged()
                        || transaction.isImplicit());
    }

    /** Runs a prepared statement on the active node in the place of the client's Execute. */
    private Verdict inject(Prepared prepared, StatementFacts facts) {
        BackendConnection backend = dispatcher.ready(context.anyNode());
        if (backend == null) {
            return Verdict.WAIT;
        }
        owner.flushClientRun();
        PreparedOnBackend.ensure(prepared, backend, session);
        ByteBuf out = backend.channel().alloc().buffer(64);
        FrontendMessages.bind(out, prepared.name());
        FrontendMessages.execute(out);
        backend.write(out);
        session.ledger().expect(Expected.BIND, true, null);
        session.ledger()
                .expect(Expected.EXECUTE, false, new Effects.Confirmed(facts, BoundParameters.NONE, prepared.text()));
        session.backends().extended(true);
        return Verdict.SKIP;
    }

    /** Carries out what {@link #takes} tells of; its text is one character a byte. */
    public Verdict run(StatementFacts facts, String text, Turn turn) {
        if (dispatcher.isBusy()) {
            return Verdict.WAIT;
        }
        dispatcher.keepBatch();
        if (!dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        TransactionScope transaction = session.transaction();
        if (transaction.status() == 'E') {
            throw new SqlErrorException(transaction.whyFailed());
        }
        if (resets.takes(facts)) {
            return resets.run(facts, turn);
        }
        if (facts.action() instanceof StatementAction.FinishPrepared) {
            return prepared.finish(facts, text, turn);
        }
        if (!transaction.isOpen()) {
            transaction.beginImplicit();
        }
        transaction.bind();
        dispatcher.occupy();
        boolean ends = turn.endsImplicit() && transaction.isImplicit();
        services.worker().execute(() -> work(facts, text, turn, ends));
        return Verdict.SKIP;
    }

    private void work(StatementFacts facts, String text, Turn turn, boolean ends) {
        NodeCalls calls = calls();
        Outcome ran = Outcome.of(() -> {
            if (facts.action() instanceof StatementAction.EveryNode every) {
                return new EveryNodeDdl(calls, catalog, context).run(every, text, facts.start());
            }
            return new SchemaDdl(calls, catalog, services.feed(), context).run(facts, text);
        });
        if (!ends) {
            answer(calls, ran, turn, () -> {
                if (!ran.worked()) {
                    session.transaction().fail();
                }
            });
            return;
        }
        Outcome ended = endNodes(calls, ran.worked());
        Outcome outcome = ran.worked() && !ended.worked() ? ended : ran;
        answer(calls, outcome, turn, () -> context.transactionEnded(outcome.worked()));
    }

    /**
     * Refuses savepoints in an implicit transaction, which to the nodes is a block.
     *
     * @throws SqlErrorException as PostgreSQL does
     */
    public void requireBlock(StatementFacts facts) {
        if (session.transaction().isImplicit()) {
            throw new SqlErrorException(SqlErrors.noTransaction(
                    switch (facts.action()) {
                        case StatementAction.Release release -> "RELEASE SAVEPOINT";
                        case StatementAction.RollbackTo rollbackTo -> "ROLLBACK TO SAVEPOINT";
                        default -> "SAVEPOINT";
                    }));
        }
    }

    /** Whether every node of the open block must run a statement. */
    public boolean isForAll(StatementFacts facts) {
        TransactionScope transaction = session.transaction();
        return transaction.isDistributed()
                && switch (facts.action()) {
                    case StatementAction.Savepoint _, StatementAction.Release _, StatementAction.RollbackTo _ ->
                        !transaction.isImplicit();
                    case StatementAction.SetTransaction _ -> true;
                    case StatementAction.Begin begin ->
                        !transaction.isImplicit() && !begin.modes().isEmpty();
                    case StatementAction.OnCursor(Optional<String> name) -> name.isEmpty();
                    default -> false;
                };
    }

    /** Runs a statement on every node of the block: see {@link #isForAll}. */
    public Verdict onAll(StatementFacts facts, String text, Turn turn) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        StatementAction action = facts.action();
        if (session.transaction().status() == 'E' && !(action instanceof StatementAction.RollbackTo)) {
            throw new SqlErrorException(
                    session.transaction().whyFailed()); // no node may do what the failed one does not
        }
        List<BackendConnection> participants = occupied();
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = Outcome.of(() -> {
                String tag = "";
                for (BackendConnection participant : participants) {
                    if (!(action instanceof StatementAction.RollbackTo || action instanceof StatementAction.Release)) {
                        calls.enlist(participant.node()); // with the settings that ROLLBACK TO is to bring back
                    }
                    tag = SchemaDdl.tag(calls.call(participant, text));
                }
                return tag;
            });
            answer(calls, outcome, turn, () -> {
                if (!outcome.worked()) {
                    session.transaction().fail();
                    return;
                }
                owner.settle(new Effects.Confirmed(facts, BoundParameters.NONE, text), outcome.tag());
                if (!(action instanceof StatementAction.Release)) {
                    participants.forEach(participant ->
                            participant.openLabel(session.settings().current()));
                }
            });
        });
        return Verdict.SKIP;
    }

    /** COMMIT or ROLLBACK of a block that is not simply the one node's business. */
    public Verdict end(boolean commit, boolean chain, Turn turn) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        TransactionScope transaction = session.transaction();
        if (chain && transaction.isImplicit()) {
            throw new SqlErrorException(SqlErrors.noTransaction((commit ? "COMMIT" : "ROLLBACK") + " AND CHAIN"));
        }
        boolean failed = transaction.status() == 'E';
        boolean commits = commit && !failed;
        if (chain && transaction.hasLostItsModes()) {
            session.settings().forgetModes();
        }
        SqlError untold = commit ? transaction.takeLoss() : null;
        if (transaction.participants().isEmpty() && untold == null) {
            context.transactionEnded(commits, chain);
            Byte status = turn.isFollowedByReady() ? (Byte) transaction.status() : null;
            session.replies().completed(commits ? "COMMIT" : "ROLLBACK", status);
            return Verdict.SKIP;
        }
        dispatcher.occupy();
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = endNodes(calls, commits).unless(untold);
            answer(
                    calls,
                    outcome,
                    turn,
                    () -> context.transactionEnded(
                            outcome.worked() && outcome.tag().equals("COMMIT"), chain && outcome.worked()));
        });
        return Verdict.SKIP;
    }

    /**
     * Ends the implicit block of a batch or string, then says ReadyForQuery.
     *
     * @param last writes what the client is told before it when the block has committed
     * @return false when it must be asked again
     */
    public boolean endImplicit(boolean commit, Consumer<ByteBuf> last) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return false;
        }
        boolean commits = commit && session.transaction().status() != 'E';
        SqlError untold = commit ? session.transaction().takeLoss() : null;
        dispatcher.occupy();
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = endNodes(calls, commits).unless(untold);
            boolean committed = outcome.worked() && outcome.tag().equals("COMMIT");
            answer(
                    calls,
                    committed ? last : out -> outcome.writeError(out, session.replies()),
                    outcome.worked(),
                    Turn.QUERY,
                    () -> context.transactionEnded(committed));
        });
        return true;
    }

    /** Does something on a virtual thread; the client's messages wait until it has {@link #answer answered}. */
    void work(Runnable work) {
        dispatcher.occupy();
        services.worker().execute(work);
    }

    /** The participants of the block, at work from now on. */
    private List<BackendConnection> occupied() {
        dispatcher.occupy();
        return List.copyOf(session.transaction().participants());
    }

    private void answer(NodeCalls calls, Outcome outcome, Turn turn, Runnable change) {
        AtomicReference<Outcome> told = new AtomicReference<>(outcome);
        answer(calls, out -> told.get().write(out, session.replies()), outcome.worked(), turn, () -> {
            if (session.transaction().takeDeadlock()) {
                told.set(outcome.asDeadlock());
            }
            change.run();
        });
    }

    /** Changes the session's model by what has happened, tells the client, and lets its next message come. */
    void answer(NodeCalls calls, Consumer<ByteBuf> reply, boolean worked, Turn turn, Runnable change) {
        calls.finish(() -> {
            change.run();
            ByteBuf out = session.replies().buffer();
            calls.notices().forEach(out::writeBytes);
            reply.accept(out);
            session.replies().send(out);
            if (turn.isFollowedByReady()) {
                sayReady();
            } else if (!worked) {
                context.batchFailed();
            }
            dispatcher.free();
        });
    }

    /** ReadyForQuery, and before it what has become of the settings that a server reports. */
    public void sayReady() {
        BackendConnection active = session.backends().active();
        if (active != null) {
            owner.activated(active);
        }
        session.replies().ready(session.transaction().status());
    }

    private Outcome endNodes(NodeCalls calls, boolean commit) {
        calls.ending();
        dispatcher.ending();
        TransactionScope transaction = session.transaction();
        DistributedEnd end = new DistributedEnd(calls, services, transaction::obstacle);
        boolean refresh = commit && catalog.isChanged();
        Outcome outcome = Outcome.of(() -> {
            // Taken together: what a node did that is lost since COMMIT came must not be missing from the commit.
            List<BackendConnection> participants = new ArrayList<>();
            AtomicReference<@Nullable SqlError> lost = new AtomicReference<>();
            calls.onLoop(() -> {
                participants.addAll(transaction.participants());
                lost.set(transaction.takeCrippling());
            });
            SqlError loss = commit ? lost.get() : null;
            if (!commit || loss != null) {
                end.rollback(participants);
            }
            if (loss != null) {
                throw new SqlErrorException(loss);
            }
            return !commit ? "ROLLBACK" : participants.isEmpty() ? "COMMIT" : end.commit(participants);
        });
        if (refresh) {
            services.feed().refresh(); // the session's next statement finds what it has created
        }
        return outcome;
    }

    NodeCalls calls() {
        return new NodeCalls(session.backends().loop(), dispatcher.preparation(), dispatcher::isCancelled);
    }
}
