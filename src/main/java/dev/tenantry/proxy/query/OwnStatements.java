package dev.tenantry.proxy.query;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.activity.Viewer;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.proxy.answer.ActivityColumns;
import dev.tenantry.proxy.answer.Column;
import dev.tenantry.proxy.answer.EncodedRows;
import dev.tenantry.proxy.answer.ResultFormats;
import dev.tenantry.proxy.answer.ResultTable;
import dev.tenantry.proxy.answer.RouteColumns;
import dev.tenantry.proxy.cluster.Turn;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.routing.ExplainedRoute;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.StatementAction.ExplainRoute;
import dev.tenantry.sql.StatementAction.ShowActivity;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.Charset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Statements that the proxy itself answers with rows, without any node: SHOW tenantry.sessions and its like, and
 * EXPLAIN (TENANTRY). To a client they are what SHOW and EXPLAIN are in PostgreSQL, in both protocols. What SHOW shows
 * is gathered on all event loops while the client's message waits. Lives on the client's event loop.
 */
public final class OwnStatements {
    private static final System.Logger LOG = System.getLogger(OwnStatements.class.getName());
    private static final SqlError SHUTDOWN =
            SqlError.error("57P01", "terminating connection due to administrator command");

    private final Conversation session;
    private final SessionContext context;
    private final Statements statements;
    private final Dispatcher dispatcher;
    private final Sources sources;
    private @Nullable EncodedRows gathered;

    /**
     * Where the rows come from.
     *
     * @param feed knows the roles
     * @param activity knows what the proxy is doing
     * @param worker makes messages of the rows
     */
    public record Sources(CatalogFeed feed, ActivityReader activity, Executor worker) {}

    public OwnStatements(
            Conversation session,
            SessionContext context,
            Statements statements,
            Dispatcher dispatcher,
            Sources sources) {
        this.session = session;
        this.context = context;
        this.statements = statements;
        this.dispatcher = dispatcher;
        this.sources = sources;
    }

    /** Whether a statement is one of these. */
    static boolean takes(@Nullable StatementFacts facts) {
        return facts != null && (facts.action() instanceof ShowActivity || facts.action() instanceof ExplainRoute);
    }

    // --- simple queries ---------------------------------------------------------------------------------------------

    /** Answers a statement of a Query message. */
    Verdict query(StatementFacts facts, Turn turn) {
        if (!dispatcher.isQuiet()) {
            return Verdict.WAIT; // whether what is owed fails decides the status
        }
        requireSoundBlock();
        EncodedRows rows = rows(facts, ResultFormats.TEXT, BoundParameters.NONE);
        if (rows == null) {
            return Verdict.WAIT;
        }
        statements.counted(Verdict.SKIP, statements.route(facts).reason());
        ByteBuf out = session.replies().buffer();
        described(facts).describe(out, ResultFormats.TEXT, session.settings().charset());
        rows.write(out, 0, rows.size());
        String tag = tag(facts);
        if (turn == Turn.LAST_PART && session.transaction().isImplicit()) {
            context.completed(tag); // told when the implicit transaction has committed
        } else {
            BackendMessages.commandComplete(out, tag);
        }
        if (turn == Turn.QUERY) {
            BackendMessages.readyForQuery(out, session.transaction().status());
        }
        session.replies().send(out);
        return Verdict.SKIP;
    }

    // --- extended queries -------------------------------------------------------------------------------------------

    /**
     * Checks what a Bind message supplies to a statement that reaches no node by it; how many parameters a statement
     * has that is explained, nobody here knows.
     *
     * @throws SqlErrorException when the statement takes something else
     */
    void check(Prepared prepared, ByteBuf in, int index, int end) {
        StatementFacts facts = prepared.facts();
        if (facts == null || !(facts.action() instanceof ExplainRoute)) {
            BoundValues.check(prepared, in, index, end);
        }
    }

    /**
     * What Bind makes of a statement, whose formats begin at {@code index}; null when it is not one of these.
     *
     * @throws SqlErrorException when the formats do not fit, or the block has failed
     */
    @Nullable
    OwnResult bind(@Nullable StatementFacts facts, ByteBuf in, int index, int end) {
        if (facts == null || !takes(facts)) {
            return null;
        }
        requireSoundBlock();
        ResultFormats formats =
                ResultFormats.read(in, index, end, described(facts).columns().size());
        BoundParameters parameters = BoundParameters.read(in, index, end, context.charset());
        return new OwnResult(formats, parameters);
    }

    /**
     * Writes the RowDescription of a statement, or of a portal when there is one, or NoData for other statements.
     *
     * @throws SqlErrorException when the block has failed
     */
    void describe(@Nullable StatementFacts facts, @Nullable OwnResult portal, boolean statement) {
        if (takes(facts)) {
            requireSoundBlock();
        }
        ByteBuf out = session.replies().buffer();
        if (statement) {
            BackendMessages.noParameters(out);
        }
        if (facts != null && takes(facts)) {
            ResultFormats formats = portal == null ? ResultFormats.TEXT : portal.formats();
            described(facts).describe(out, formats, session.settings().charset());
        } else {
            BackendMessages.bodiless(out, BackendType.NO_DATA);
        }
        session.replies().send(out);
    }

    /** Execute of a portal, for at most so many rows; 0 is for all. */
    Verdict execute(StatementFacts facts, OwnResult portal, int rowsMax) {
        if (!session.ledger().isEmpty()) {
            dispatcher.flushBatch();
            return Verdict.WAIT;
        }
        requireSoundBlock();
        if (portal.rows() == null) {
            EncodedRows rows = rows(facts, portal.formats(), portal.parameters());
            if (rows == null) {
                return Verdict.WAIT;
            }
            statements.counted(Verdict.SKIP, statements.route(facts).reason());
            portal.opened(rows);
        }
        ByteBuf out = session.replies().buffer();
        if (portal.write(out, rowsMax)) {
            BackendMessages.commandComplete(out, tag(facts));
        } else {
            BackendMessages.bodiless(out, BackendType.PORTAL_SUSPENDED);
        }
        session.replies().send(out);
        return Verdict.SKIP;
    }

    // --- both -------------------------------------------------------------------------------------------------------

    private void requireSoundBlock() {
        if (session.transaction().status() == 'E') {
            throw new SqlErrorException(session.transaction().whyFailed());
        }
    }

    private static String tag(StatementFacts facts) {
        return facts.kind().name();
    }

    /** The rows; null when the message must wait for them. */
    private @Nullable EncodedRows rows(StatementFacts facts, ResultFormats formats, BoundParameters parameters) {
        Charset charset = session.settings().charset();
        StatementFacts explained = facts.explained().orElse(null);
        if (explained != null) {
            return context.withParameters(parameters, () -> explain(context.executed(explained)))
                    .encoded(formats, charset);
        }
        EncodedRows rows = gathered;
        gathered = null;
        if (rows == null) {
            dispatcher.run(
                    onLoop(gather(facts).thenApplyAsync(table -> table.encoded(formats, charset), sources.worker())),
                    this::gathered);
        }
        return rows;
    }

    private ResultTable<ExplainedRoute> explain(StatementFacts facts) {
        Route route = statements.explain(facts);
        return new ResultTable<>(RouteColumns.ALL, ExplainedRoute.of(facts, route, context, context.anyNode()));
    }

    /** They are for the message that is looked at again now, and for none that comes later. */
    private void gathered(EncodedRows rows) {
        gathered = rows;
        session.backends().loop().execute(() -> gathered = null);
    }

    private <T> CompletableFuture<T> onLoop(CompletableFuture<T> asked) {
        return asked.handleAsync(
                (rows, problem) -> {
                    if (problem != null) {
                        throw new CompletionException(new SqlErrorException(told(problem)));
                    }
                    return rows;
                },
                session.backends().loop());
    }

    private static SqlError told(Throwable problem) {
        Throwable cause =
                problem instanceof CompletionException && problem.getCause() != null ? problem.getCause() : problem;
        if (cause instanceof RejectedExecutionException) {
            return SHUTDOWN; // no loop takes work any more
        }
        LOG.log(System.Logger.Level.ERROR, "activity not gathered", cause);
        return SqlError.error("XX000", "internal error: " + cause.getClass().getSimpleName());
    }

    /** The columns that the rows will have. */
    private static ResultTable<?> described(StatementFacts facts) {
        if (facts.action() instanceof ExplainRoute) {
            return ResultTable.describedBy(RouteColumns.ALL);
        }
        return switch (shown(facts)) {
            case SESSIONS -> ResultTable.describedBy(ActivityColumns.SESSIONS);
            case BACKENDS -> ResultTable.describedBy(ActivityColumns.BACKENDS);
            case POOLS -> ResultTable.describedBy(ActivityColumns.POOLS);
            case PINS -> ResultTable.describedBy(ActivityColumns.PINS);
            case TRANSACTIONS -> ResultTable.describedBy(ActivityColumns.TRANSACTIONS);
        };
    }

    private CompletableFuture<ResultTable<?>> gather(StatementFacts facts) {
        Viewer viewer = viewer();
        ActivityReader activity = sources.activity();
        return switch (shown(facts)) {
            case SESSIONS -> table(ActivityColumns.SESSIONS, activity.sessions(viewer));
            case BACKENDS -> table(ActivityColumns.BACKENDS, activity.backends(viewer));
            case POOLS -> table(ActivityColumns.POOLS, activity.pools(viewer));
            case PINS -> table(ActivityColumns.PINS, activity.pins(viewer));
            case TRANSACTIONS -> table(ActivityColumns.TRANSACTIONS, activity.transactions(viewer));
        };
    }

    private static <T> CompletableFuture<ResultTable<?>> table(
            List<Column<T>> columns, CompletableFuture<List<T>> rows) {
        return rows.thenApply(all -> new ResultTable<>(columns, all));
    }

    private static ShowActivity.Subject shown(StatementFacts facts) {
        if (facts.action() instanceof ShowActivity(ShowActivity.Subject subject)) {
            return subject;
        }
        throw new IllegalStateException("not a statement of the proxy's own: " + facts.kind());
    }

    /**
     * Who asks. The right to see everything is the right of who has signed in, and can be put aside with SET ROLE; it
     * is not won by it, as only the nodes know for sure what came of that.
     */
    private Viewer viewer() {
        return seesAll(context.user()) && seesAll(context.currentRole()) ? Viewer.OF_ALL : Viewer.ofOwn(context.user());
    }

    private boolean seesAll(String name) {
        LoginRole role = sources.feed().current().role(name).orElse(null);
        return role != null && (role.superuser() || role.monitor());
    }
}
