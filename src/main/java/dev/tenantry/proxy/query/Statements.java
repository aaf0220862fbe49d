package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SettingValues;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.routing.Refusal;
import dev.tenantry.routing.Route;
import dev.tenantry.routing.Router;
import dev.tenantry.routing.RoutingContext;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.CatalogUse;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementKind;
import dev.tenantry.wire.ClientEncoding;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What simple and extended queries have in common: where a statement goes, what it means for the transaction. Lives on
 * the client's event loop.
 */
public final class Statements {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final SessionContext context;
    private final ProxyMetrics metrics;
    private final PauseGate gate;
    private final Router router = new Router();
    private final Cursors cursors;
    private final SnapshotGuard snapshots;
    private final DumpScope dump;

    public Statements(
            Conversation session, Dispatcher dispatcher, SessionContext context, ProxyMetrics metrics, PauseGate gate) {
        this.session = session;
        this.dispatcher = dispatcher;
        this.context = context;
        this.metrics = metrics;
        this.gate = gate;
        this.cursors = new Cursors(session, dispatcher);
        this.snapshots = new SnapshotGuard(session, context, dispatcher);
        this.dump = new DumpScope(context);
    }

    /**
     * Where a statement goes; it is counted when it does.
     *
     * @throws SqlErrorException when it is refused
     */
    public Route route(StatementFacts facts) {
        StatementFacts executed = context.executed(facts);
        Route route = admitted(routed(executed, context));
        dump.check(facts, route);
        remember(executed, route);
        return route;
    }

    /** A route that leads somewhere; one that does not is counted, and its refusal thrown. */
    Route admitted(Route route) {
        if (route instanceof Route.Refused refused) {
            metrics.routed(route.reason());
            throw new SqlErrorException(SqlErrors.of(refused.refusal()));
        }
        return route;
    }

    /** Where it goes, neither counted nor admitted. */
    Route routed(StatementFacts facts, RoutingContext where) {
        checkSettings(facts);
        return router.route(facts, where);
    }

    /** A statement for which this has been found is counted, unless its message must wait. */
    Verdict counted(Verdict verdict, Route.Reason reason) {
        if (verdict != Verdict.WAIT) {
            metrics.routed(reason);
        }
        return verdict;
    }

    /** So is each statement of a string. */
    void count(StringRoute string) {
        string.reasons().forEach(metrics::routed);
    }

    /** A statement that was routed before goes the same way again. */
    void count(Prepared prepared) {
        Route route = prepared.lastRoute();
        StatementFacts facts = prepared.facts();
        if (route != null) {
            metrics.routed(route.reason());
            if (facts != null) {
                remember(facts, route);
            }
        }
    }

    /** What asks by oid means those that the node has told which was asked last for rows or out of its catalogs. */
    private void remember(StatementFacts facts, Route route) {
        if (route instanceof Route.ToNode to && tellsOids(facts, to.reason())) {
            context.catalogNode(to.node());
        }
    }

    private static boolean tellsOids(StatementFacts facts, Route.Reason reason) {
        return switch (reason) {
            case CATALOG_LITERAL, QUALIFIED -> true;
            case SEARCH_PATH, COORDINATOR, TRANSACTION ->
                facts.unqualifiedRelation()
                        || facts.unqualifiedOther()
                        || facts.catalogUse() == CatalogUse.ONLY && !facts.globalCatalogOnly();
            default -> false;
        };
    }

    /** @throws SqlErrorException when it would set what no session can have */
    private static void checkSettings(StatementFacts facts) {
        if (facts.action() instanceof StatementAction.SetVariable set
                && set.value() instanceof StatementAction.SettingValue.Text(String text)) {
            checkSetting(set.name(), text);
        }
        for (SetConfigCall call : facts.settingCalls()) {
            if (call.value() instanceof SetConfigCall.Argument.Literal(String text)) {
                checkSetting(call.name(), text);
            }
        }
    }

    private static void checkSetting(String setting, @Nullable String value) {
        if (value == null) {
            return;
        }
        if (setting.equals(ClientEncoding.SETTING) && !ClientEncoding.isSafe(value)) {
            throw new SqlErrorException(SqlErrors.unsafeEncoding(value)); // it can't be read
        }
        SettingValues.refusal(setting, value).ifPresent(refusal -> {
            throw new SqlErrorException(refusal);
        });
    }

    /**
     * What a Bind message binds to a statement that needs it.
     *
     * @param index where the format codes begin
     * @param end where the message ends
     */
    BoundParameters values(Prepared prepared, ByteBuf in, int index, int end) {
        BoundParameters values = prepared.textOf(BoundParameters.read(in, index, end, context.charset()));
        StatementFacts facts = prepared.facts();
        for (SetConfigCall call : facts == null ? List.<SetConfigCall>of() : facts.settingCalls()) {
            if (call.value() instanceof SetConfigCall.Argument.Parameter(int number)) {
                checkSetting(call.name(), values.text(number));
            }
        }
        return values;
    }

    /** The route of one that is being prepared or looked at, which is not counted. */
    public Route look(StatementFacts facts) {
        Route route = routed(facts, context);
        remember(facts, route);
        return route;
    }

    /** The route that a statement would have if it were run now; neither counted nor kept in mind. */
    Route explain(StatementFacts facts) {
        try {
            checkSettings(facts);
        } catch (SqlErrorException unsafe) {
            SqlError error = unsafe.error();
            String detail = Objects.requireNonNullElse(error.detail(), "");
            String hint = Objects.requireNonNullElse(error.hint(), "");
            return new Route.Refused(
                    new Refusal(error.sqlState(), error.message(), detail, hint), Route.Reason.REFUSED);
        }
        return router.route(facts, context);
    }

    /** The node of a route; one that may be any is where the session is. */
    public Node node(Route route) {
        return switch (route) {
            case Route.ToNode to -> to.node();
            case Route.ToAnyNode any -> context.anyNode();
            case Route.ToEveryNode every -> context.catalog().coordinator();
            case Route.Locally locally -> context.catalog().coordinator();
            case Route.Refused refused -> throw new SqlErrorException(SqlErrors.of(refused.refusal()));
        };
    }

    /**
     * Whether a statement waits because what it needs is paused, or must be asked for; then its message must wait.
     *
     * @throws SqlErrorException when its transaction would not see what is there
     */
    boolean isHeld(StatementFacts facts, Route route) {
        Pauses pauses = context.catalog().pauses();
        StatementFacts executed = context.executed(facts);
        if (pauses != Pauses.NONE
                && (gate.holds(pauses, executed, route, node(route))
                        || executed != facts && gate.holds(pauses, facts, route, node(route)))) {
            return true;
        }
        if (route instanceof Route.ToNode to) {
            if (snapshots.holds(executed, to.node())) {
                return true;
            }
        } else if (!(route instanceof Route.Refused)) {
            snapshots.sends(node(route));
        }
        gate.sent().add(executed);
        if (executed != facts) {
            gate.sent().add(facts); // CREATE TABLE AS EXECUTE names more than what it executes
        }
        return false;
    }

    /** What the client has bound. */
    Portals portals() {
        return gate.portals();
    }

    /** The same for a message that names nothing and goes where the session is. */
    boolean isHeld() {
        Pauses pauses = context.catalog().pauses();
        if (pauses != Pauses.NONE && gate.holds(pauses, context.anyNode())) {
            return true;
        }
        snapshots.sends(context.anyNode());
        gate.sent().addUnknown();
        return false;
    }

    /** The reply that was given last has ended a transaction. */
    void transactionEnded() {
        gate.sent().transactionEnded();
        snapshots.transactionEnded();
    }

    /** Whether anything is paused, or has moved, so that each statement must be looked at. */
    boolean looksAtEach() {
        return context.catalog().pauses() != Pauses.NONE || snapshots.mayRefuse();
    }

    /** The node of a statement that has a prepared statement or a cursor used; null when the message must wait. */
    @Nullable
    Node node(StatementFacts facts, Route route) {
        if (isHeld(facts, route)) {
            return null;
        }
        Node holder = holder(facts);
        if (holder != null) {
            return holder;
        }
        Node routed = node(route);
        return switch (facts.action()) {
            case StatementAction.OnCursor(Optional<String> name)
            when name.isPresent() -> cursors.holder(name.get(), routed);
            case StatementAction.DeclareCursor(String name) -> cursors.checked(name, routed);
            default -> routed;
        };
    }

    /** The backend for a node, ready; null when the message must wait. */
    @Nullable
    public BackendConnection ready(Node node) {
        TransactionScope transaction = session.transaction();
        BackendConnection main = transaction.main();
        if (main != null
                && main.node().nodeId() != node.nodeId()
                && !transaction.isBound()
                && portals().hasNamedOn(main.node())) {
            transaction.bind(); // what its portals have still to give would be gone with them
        }
        return dispatcher.ready(node);
    }

    /** The same for a string that goes there as it is, of which no statement was looked at by itself. */
    @Nullable
    BackendConnection readyForString(Node node) {
        snapshots.sends(node);
        return ready(node);
    }

    /**
     * A statement may run in the block as it is.
     *
     * @throws SqlErrorException when the block has failed, for reasons no node knows; or when the block of several
     *     nodes is to be prepared, which one of them would do for its own part
     */
    public void checkBlock(StatementFacts facts) {
        TransactionScope transaction = session.transaction();
        if (!transaction.isFailed()) {
            if (facts.action() instanceof StatementAction.PrepareTransaction && transaction.isDistributed()) {
                throw new SqlErrorException(SqlErrors.preparedBySeveral(transaction.participants().stream()
                        .map(BackendConnection::node)
                        .toList()));
            }
            return;
        }
        boolean ends = switch (facts.action()) {
            case StatementAction.Commit commit -> true;
            case StatementAction.Rollback rollback -> true;
            case StatementAction.RollbackTo rollbackTo ->
                !transaction.isCrippled() && !transaction.participants().isEmpty();
            default -> false;
        };
        if (!ends) {
            throw new SqlErrorException(transaction.whyFailed(failedBlock(facts)));
        }
    }

    /** What PostgreSQL says to a statement of a failed block that does not end it, where there is no node to say it. */
    private SqlError failedBlock(StatementFacts facts) {
        TransactionScope transaction = session.transaction();
        return facts.action() instanceof StatementAction.RollbackTo(String name) && !transaction.hasSavepoint(name)
                ? SqlErrors.noSavepoint(name)
                : SqlErrors.aborted();
    }

    /** The statement is about to run in the block on this backend: the block stays there, or can still move. */
    public void ran(StatementFacts facts) {
        session.backends().runs(facts);
        if (facts.action() instanceof StatementAction.Execute) {
            session.backends().runs(context.executed(facts));
        }
        TransactionScope transaction = session.transaction();
        switch (facts.kind()) {
            case LISTEN, UNLISTEN, NOTIFY -> noteObstacle(); // also where a batch has yet to become a block
            default -> {
                // the node tells itself what keeps its part from being prepared
            }
        }
        if (!transaction.isOpen() || transaction.isBound()) {
            return;
        }
        boolean movable = switch (facts.kind()) {
            case SET, RESET, SAVEPOINT, RELEASE, ROLLBACK_TO, SET_TRANSACTION ->
                // the model brings it along, unless nobody here has understood it
                Prepared.isEffect(facts) && !facts.traces().seeds();
            default -> isMovable(facts);
        };
        if (!movable) {
            transaction.bind();
        }
    }

    /** Every statement of a string is about to run in the block on this backend: the block stays there. */
    void ran(List<StatementFacts> string) {
        if (session.transaction().isOpen()) {
            session.transaction().bind();
        }
        gate.sent().addString(string);
        string.forEach(this::ran);
    }

    /** Whether a statement can run in a block that has failed. */
    static boolean endsBlock(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.Commit _, StatementAction.Rollback _, StatementAction.RollbackTo _ -> true;
            default -> false;
        };
    }

    private void noteObstacle() {
        TransactionScope transaction = session.transaction();
        BackendConnection on =
                transaction.isOpen() ? transaction.main() : session.backends().active();
        if (on != null) {
            transaction.obstacle(on, "LISTEN, UNLISTEN or NOTIFY");
        }
    }

    /** Whether a statement can run again elsewhere, or its transaction end early, without anyone noticing. */
    static boolean isMovable(StatementFacts facts) {
        return facts.kind() == StatementKind.SHOW || facts.sideEffectFree() && !Prepared.isEffect(facts);
    }

    /**
     * Whether the beginning of a statement that is cut off says all that must be known of it. One that sets something
     * must be seen to its end, as the value may be what is cut off.
     */
    static boolean isClearFromBeginning(StatementFacts facts) {
        return switch (facts.kind()) {
            case SELECT,
                    VALUES,
                    TABLE,
                    INSERT,
                    UPDATE,
                    DELETE,
                    MERGE,
                    COPY_FROM,
                    COPY_TO,
                    EXPLAIN,
                    CALL,
                    DO,
                    DDL,
                    DECLARE,
                    UNKNOWN ->
                !Prepared.isEffect(facts) && facts.tenantryNames().isEmpty();
            default -> false;
        };
    }

    /** What EXECUTE, DEALLOCATE or PREPARE names, as it is on the wire, or null: the backend must agree on it. */
    @Nullable
    String usedStatement(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.Execute execute -> session.settings().onWire(execute.name());
            case StatementAction.Prepare prepare -> session.settings().onWire(prepare.name());
            case StatementAction.Deallocate(Optional<String> name) ->
                name.map(session.settings()::onWire).orElse(null);
            default -> null;
        };
    }

    /**
     * What a backend must mean by the name that EXECUTE, DEALLOCATE or PREPARE uses. To DEALLOCATE what is on none of
     * the session's backends, something empty will do; and so it will to refuse a second PREPARE.
     */
    @Nullable
    Prepared meant(String used, StatementFacts facts, BackendConnection backend) {
        Prepared prepared = session.statements().get(used);
        if (prepared == null || facts.action() instanceof StatementAction.Execute) {
            return prepared;
        }
        return backend.prepared().get(used) instanceof Prepared any ? any : Prepared.empty(used);
    }

    /** Where DEALLOCATE finds its statement, if somewhere. */
    @Nullable
    private Node holder(StatementFacts facts) {
        String used = facts.action() instanceof StatementAction.Deallocate ? usedStatement(facts) : null;
        Prepared prepared = used == null ? null : session.statements().get(used);
        if (used == null || prepared == null || session.transaction().main() != null) {
            return null;
        }
        return session.backends().all().stream()
                .filter(backend -> !backend.isClosed() && backend.prepared().get(used) == prepared)
                .findFirst()
                .map(BackendConnection::node)
                .orElse(null);
    }
}
