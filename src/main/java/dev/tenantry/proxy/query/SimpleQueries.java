package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.cluster.Turn;
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
import dev.tenantry.routing.Route;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The simple query protocol: one Query message, statement by statement. Lives on the client's event loop. */
public final class SimpleQueries {
    private final Conversation session;
    private final Statements statements;
    private final StatementAnalyzer analyzer;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final OwnStatements own;
    private final SessionContext context;
    private final BatchEnd batch;
    private final StringRouting routing;
    private @Nullable StringRun strings;
    private int queryLength;

    public SimpleQueries(QueryTools tools) {
        this.session = tools.session();
        this.context = tools.context();
        this.statements = tools.statements();
        this.analyzer = tools.analyzer();
        this.dispatcher = tools.dispatcher();
        this.cluster = tools.cluster();
        this.own = tools.own();
        this.batch = new BatchEnd(tools);
        this.routing = new StringRouting(tools);
    }

    /** Who runs strings that can't go to one node; set once. */
    public void strings(StringRun run) {
        strings = run;
    }

    /**
     * A Query message whose text, or the first part of it, is there.
     *
     * @param available how much of the message is in the buffer; less than {@code frameLength} only for giants
     */
    public Verdict onQuery(ByteBuf in, int index, int frameLength, int available, LexicalRules rules) {
        if (dispatcher.isBusy() || session.ledger().hasEffectsPending()) {
            dispatcher.flushBatch();
            return Verdict.WAIT;
        }
        SqlError failure = dispatcher.takeFailure();
        if (available == frameLength && in.getByte(index + frameLength - 1) != 0) {
            throw SqlErrors.invalidString();
        }
        session.statements().dropUnnamed();
        int length = available == frameLength ? frameLength - 6 : available - 5;
        queryLength = length;
        List<StatementFacts> found = analyzer.analyze(in, index + 5, length, rules);
        if (failure != null) {
            return waitedInVain(found, failure);
        }
        try {
            if (available < frameLength) {
                checkGiant(found);
            }
            if (session.transaction().isImplicit() && !context.isInString()) {
                return oneByOne(found); // it ends the batch that began the transaction, and the transaction with it
            }
            if (found.isEmpty()) {
                return empty();
            }
            return found.size() == 1 ? one(found.getFirst()) : several(found, length);
        } catch (SqlErrorException refused) {
            return refuse(refused.error());
        }
    }

    /**
     * What the message waited for has failed, or its client has cancelled it. BEGIN needs no node: the block that a
     * string begins with it is there, and has failed, so that its client does not go on outside of one.
     */
    private Verdict waitedInVain(List<StatementFacts> found, SqlError failure) {
        if (found.size() > 1
                && found.getFirst().action() instanceof StatementAction.Begin begin
                && !session.transaction().isOpen()
                && !session.backends().isUnsynced()) {
            cluster.begin(begin, Turn.PART);
        }
        return refuse(failure);
    }

    /** Of a giant only the first part has been looked at: all of it must go to one node as it is. */
    private void checkGiant(List<StatementFacts> found) {
        boolean alone = found.size() == 1;
        boolean asItIs = !found.isEmpty()
                && Statements.isClearFromBeginning(found.getLast())
                && !session.transaction().isImplicit()
                && found.stream()
                        .allMatch(facts -> facts.tenantryNames().isEmpty()
                                && !cluster.takes(facts)
                                && !(facts.action() instanceof StatementAction.Prepare))
                && (alone || !session.transaction().isDistributed() && routing.of(found) != null);
        if (!asItIs) {
            throw new SqlErrorException(SqlError.error("54000", "query string is too long for what it says")
                    .withDetail("Only a query string that goes to one node as it is may be longer than"
                            + " tenantry.proxy.query-length-max.")
                    .withHint("Send its statements one by one."));
        }
    }

    /** FunctionCall, which names nothing: it goes where the session is. */
    public Verdict onFunctionCall() {
        if (dispatcher.isBusy() || session.ledger().hasEffectsPending()) {
            dispatcher.flushBatch();
            return Verdict.WAIT;
        }
        if (statements.isHeld() || statements.ready(context.anyNode()) == null) {
            return Verdict.WAIT;
        }
        session.backends().runsUnknown();
        if (session.transaction().isOpen()) {
            session.transaction().bind();
        }
        if (session.transaction().isImplicit() && strings != null) {
            session.ledger().expect(Expected.QUERY_PART, false, null);
            strings.startBehind(); // it ends the batch that began the transaction, and the transaction with it
            return Verdict.FORWARD;
        }
        session.ledger().expect(Expected.FUNCTION_CALL, false, null);
        return Verdict.FORWARD;
    }

    /** An error of our own: the block, if there is one, has failed, and a batch without Sync is undone. */
    public Verdict refuse(SqlError error) {
        session.transaction().fail();
        if (!context.isInString()) {
            batch.undo();
        }
        ByteBuf out = session.replies().buffer();
        session.replies().error(out, error);
        if (context.isInString()) {
            context.batchFailed();
        } else {
            BackendMessages.readyForQuery(out, session.transaction().status());
        }
        session.replies().send(out);
        return Verdict.SKIP;
    }

    private Verdict empty() {
        if (!dispatcher.isQuiet()) {
            return Verdict.WAIT; // whether what is owed fails decides the status
        }
        ByteBuf out = session.replies().buffer();
        BackendMessages.bodiless(out, BackendType.EMPTY_QUERY_RESPONSE);
        BackendMessages.readyForQuery(out, session.transaction().status());
        session.replies().send(out);
        return Verdict.SKIP;
    }

    private Verdict one(StatementFacts facts) {
        statements.checkBlock(facts);
        TransactionScope transaction = session.transaction();
        if (cluster.isForAll(facts)) {
            Route.Reason reason = statements.look(facts).reason();
            return statements.counted(cluster.onAll(facts, text(facts), turn()), reason);
        }
        switch (facts.action()) {
            case StatementAction.None none -> {
                return forward(facts, statements.route(facts));
            }
            case StatementAction.Begin begin -> {
                if (transaction.isImplicit()
                        || !transaction.isOpen() && !session.backends().isUnsynced()) {
                    return statements.counted(cluster.begin(begin, turn()), Route.Reason.SESSION);
                }
            }
            case StatementAction.Commit commit -> {
                if (cluster.endsHere(true, commit.chain())) {
                    return statements.counted(cluster.end(true, commit.chain(), turn()), Route.Reason.SESSION);
                }
            }
            case StatementAction.Rollback rollback -> {
                if (cluster.endsHere(false, rollback.chain())) {
                    return statements.counted(cluster.end(false, rollback.chain(), turn()), Route.Reason.SESSION);
                }
            }
            case StatementAction.Savepoint _, StatementAction.Release _, StatementAction.RollbackTo _ -> {
                cluster.requireBlock(facts);
            }
            case StatementAction.Execute _, StatementAction.Deallocate _, StatementAction.Prepare _ -> {
                String used = statements.usedStatement(facts);
                if (used != null) {
                    return usePrepared(used, facts);
                }
            }
            case StatementAction.OnCursor _, StatementAction.DeclareCursor _ -> {
                return useCursor(facts);
            }
            default -> {
                if (cluster.takes(facts)) {
                    return carryOut(facts, statements.admitted(statements.look(facts)));
                }
                if (OwnStatements.takes(facts)) {
                    return own.query(facts, turn());
                }
            }
        }
        return forward(facts, statements.route(facts));
    }

    private Verdict carryOut(StatementFacts facts, Route route) {
        Verdict verdict = statements.isHeld(facts, route) ? Verdict.WAIT : cluster.run(facts, text(facts), turn());
        return statements.counted(verdict, route.reason());
    }

    private Turn turn() {
        return !context.isInString() ? Turn.QUERY : context.isLastInString() ? Turn.LAST_PART : Turn.PART;
    }

    /**
     * EXECUTE and DEALLOCATE go where the prepared statement goes, which is prepared there first if it is not; PREPARE
     * finds there what has its name already.
     */
    private Verdict usePrepared(String name, StatementFacts facts) {
        Route route = statements.route(facts);
        Node node = statements.node(facts, route);
        BackendConnection backend = node == null ? null : statements.ready(node);
        if (node == null || backend == null) {
            return Verdict.WAIT;
        }
        Prepared prepared = statements.meant(name, facts, backend);
        if (backend.prepared().get(name) != prepared && backend.status() != 'E') {
            if (!dispatcher.isQuiet()) {
                return Verdict.WAIT;
            }
            dispatcher.run(PreparedOnBackend.bring(name, prepared, backend, session), done -> {});
            return Verdict.WAIT;
        }
        boolean alone = !context.isInString() && !session.backends().isUnsynced();
        boolean prepares = facts.action() instanceof StatementAction.Prepare
                && alone
                && backend.status() != 'E'
                && facts.tenantryNames().isEmpty();
        return statements.counted(prepares ? prepare(name, facts, backend) : forward(facts, node), route.reason());
    }

    private Verdict prepare(String name, StatementFacts facts, BackendConnection backend) {
        statements.ran(facts);
        cluster.owner().flushClientRun();
        PreparedOnBackend.prepare(
                name,
                Arrays.copyOf(analyzer.text(), queryLength),
                new Effects.Confirmed(facts, BoundParameters.NONE, text(facts)),
                backend,
                session.ledger());
        return Verdict.SKIP;
    }

    private Verdict useCursor(StatementFacts facts) {
        Route route = statements.route(facts);
        Node node = statements.node(facts, route);
        return node == null ? Verdict.WAIT : statements.counted(forward(facts, node), route.reason());
    }

    private Verdict forward(StatementFacts facts, Route route) {
        return statements.isHeld(facts, route)
                ? Verdict.WAIT
                : statements.counted(forward(facts, statements.node(route)), route.reason());
    }

    private Verdict forward(StatementFacts facts, Node node) {
        BackendConnection backend = statements.ready(node);
        if (backend == null) {
            return Verdict.WAIT;
        }
        statements.ran(facts);
        Expected expected = !context.isInString()
                ? Expected.QUERY
                : context.isLastInString() && session.transaction().isImplicit()
                        ? Expected.QUERY_LAST
                        : Expected.QUERY_PART;
        boolean effect = expected == Expected.QUERY_LAST || Prepared.isEffect(facts);
        session.ledger()
                .expect(
                        expected,
                        false,
                        effect ? new Effects.Confirmed(facts, BoundParameters.NONE, text(facts)) : null);
        if (facts.tenantryNames().isEmpty()) {
            return Verdict.FORWARD;
        }
        cluster.owner().flushClientRun();
        backend.write(ClusterNames.query(backend.channel().alloc(), analyzer.text(), facts));
        return Verdict.SKIP;
    }

    private Verdict several(List<StatementFacts> found, int length) {
        TransactionScope transaction = session.transaction();
        boolean apart = cluster.takesAny(found)
                || transaction.isDistributed()
                || transaction.isFailed()
                || statements.looksAtEach();
        StringRoute route = apart ? null : routing.of(found);
        BackendConnection main = transaction.main();
        if (route == null
                || main != null && main.node().nodeId() != route.node().nodeId()) {
            return oneByOne(found); // also because the block may end in the middle of the string
        }
        BackendConnection backend = statements.readyForString(route.node());
        if (backend == null) {
            return Verdict.WAIT;
        }
        List<Effects.@Nullable Confirmed> effects = new java.util.ArrayList<>();
        boolean any = false;
        for (StatementFacts facts : found) {
            String text = Prepared.isEffect(facts) ? text(facts) : null;
            effects.add(text == null ? null : new Effects.Confirmed(facts, BoundParameters.NONE, text));
            any |= text != null;
        }
        statements.ran(found);
        statements.count(route);
        session.ledger().expect(Expected.QUERY, false, any ? effects : null);
        if (found.stream().allMatch(facts -> facts.tenantryNames().isEmpty())) {
            return Verdict.FORWARD;
        }
        cluster.owner().flushClientRun();
        ByteBuf out = backend.channel().alloc().buffer(length + 64);
        byte[] rewritten = ClusterNames.rewrite(analyzer.text(), 0, length, found);
        FrontendMessages.query(out, rewritten, 0, rewritten.length);
        backend.write(out);
        return Verdict.SKIP;
    }

    private Verdict oneByOne(List<StatementFacts> found) {
        if (strings == null) {
            throw new IllegalStateException("nobody runs strings");
        }
        if (!dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        strings.start(found, analyzer.text());
        return Verdict.SKIP;
    }

    private String text(StatementFacts facts) {
        return new String(analyzer.text(), facts.start(), facts.end() - facts.start(), StandardCharsets.ISO_8859_1);
    }
}
