package dev.tenantry.routing;

import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.commit.GlobalTransactionId;
import dev.tenantry.routing.Route.Reason;
import dev.tenantry.sql.CatalogNames;
import dev.tenantry.sql.ComparedSchemas;
import dev.tenantry.sql.SearchPath;
import dev.tenantry.sql.StatementAction.EveryNode;
import dev.tenantry.sql.StatementAction.ExplainRoute;
import dev.tenantry.sql.StatementAction.FinishPrepared;
import dev.tenantry.sql.StatementAction.None;
import dev.tenantry.sql.StatementAction.PrepareTransaction;
import dev.tenantry.sql.StatementAction.SetVariable;
import dev.tenantry.sql.StatementAction.SettingValue;
import dev.tenantry.sql.StatementAction.SharedInBlock;
import dev.tenantry.sql.StatementAction.ShowActivity;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.CatalogUse;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides where a statement goes: a pure function of what it is given, and the only one that decides it. The table is
 * docs/routing.md. Keeps the routes it has made, so it is not thread-safe: each event loop has its own.
 */
public final class Router {

    private static final String USER = "$user";

    private final KeptRoutes routes = new KeptRoutes();

    /** The route of one statement. Allocates nothing on the usual ways: routes to nodes are kept. */
    public Route route(StatementFacts facts, RoutingContext context) {
        return switch (facts.kind()) {
            case EMPTY, BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ROLLBACK_TO, SET_TRANSACTION, DISCARD ->
                KeptRoutes.SESSION;
            case SHOW -> facts.action() instanceof ShowActivity ? KeptRoutes.PROXY : KeptRoutes.SESSION;
            case EXPLAIN -> facts.action() instanceof ExplainRoute ? KeptRoutes.PROXY : byNames(facts, context);
            case SET -> set(facts, context);
            case RESET -> KeptRoutes.SESSION;
            case EXECUTE, DEALLOCATE, FETCH, CLOSE -> prepared(facts, context);
            case CREATE_SCHEMA, DROP_SCHEMA, ALTER_SCHEMA, ON_SCHEMA ->
                facts.action() instanceof None ? coordinator(context, Reason.COORDINATOR) : KeptRoutes.SCHEMA_DDL;
            case GLOBAL_DDL ->
                facts.action() instanceof EveryNode ? KeptRoutes.GLOBAL_DDL : coordinator(context, Reason.COORDINATOR);
            case SERVER -> coordinator(context, Reason.COORDINATOR);
            case DO -> block(facts, context);
            case PREPARE_TRANSACTION, COMMIT_PREPARED, ROLLBACK_PREPARED -> preparedTransaction(facts, context);
            case SELECT,
                    VALUES,
                    TABLE,
                    INSERT,
                    UPDATE,
                    DELETE,
                    MERGE,
                    COPY_FROM,
                    COPY_TO,
                    CALL,
                    DDL,
                    SET_CONSTRAINTS,
                    PREPARE,
                    DECLARE,
                    LOCK,
                    VACUUM,
                    ANALYZE,
                    LISTEN,
                    UNLISTEN,
                    NOTIFY,
                    UNKNOWN -> byNames(facts, context);
        };
    }

    private Route prepared(StatementFacts facts, RoutingContext context) {
        return facts.schemas().isEmpty() || facts.action() instanceof None
                ? KeptRoutes.PREPARED
                : byNames(facts, context);
    }

    /** Where there is one node only, it is all of them. */
    private Route block(StatementFacts facts, RoutingContext context) {
        return facts.action() instanceof SharedInBlock(String words)
                        && context.catalog().nodes().size() > 1
                ? Refusals.sharedInBlock(words)
                : byNames(facts, context);
    }

    /** What the proxies have prepared for a commit over several nodes is theirs to finish. */
    private Route preparedTransaction(StatementFacts facts, RoutingContext context) {
        return switch (facts.action()) {
            case PrepareTransaction(String gid) when isOurs(gid) -> Refusals.reservedIdentifier(gid);
            case FinishPrepared(String gid) -> isOurs(gid) ? Refusals.ownTransaction(gid) : KeptRoutes.PREPARED;
            default -> byNames(facts, context);
        };
    }

    private static boolean isOurs(String gid) {
        return GlobalTransactionId.parse(gid).isPresent();
    }

    // --- settings ---------------------------------------------------------------------------------------------------

    /** A new search_path goes where its first distributed schema is, so that this node is used from then on. */
    private Route set(StatementFacts facts, RoutingContext context) {
        DistributedSchema schema = newPath(facts, context);
        return schema == null ? KeptRoutes.SESSION : routes.to(schema.node(), Reason.SEARCH_PATH);
    }

    /** Where a new search_path leads, if the statement sets one and it leads somewhere. */
    static @Nullable DistributedSchema newPath(StatementFacts facts, RoutingContext context) {
        return facts.action() instanceof SetVariable set
                        && set.name().equals("search_path")
                        && set.value() instanceof SettingValue.Text(String text)
                ? firstDistributed(SearchPath.parse(text).orElse(List.of()), context)
                : null;
    }

    /** The same for SELECT set_config('search_path', ...), when nothing else decides. */
    static @Nullable DistributedSchema settingCall(StatementFacts facts, RoutingContext context) {
        for (int i = 0; i < facts.settingCalls().size(); i++) {
            SetConfigCall call = facts.settingCalls().get(i);
            if (!call.name().equals("search_path")) {
                continue;
            }
            String text = switch (call.value()) {
                case SetConfigCall.Argument.Literal(String literal) -> literal;
                case SetConfigCall.Argument.Parameter(int number) ->
                    number <= context.parameterCount() ? context.parameter(number) : null;
                case SetConfigCall.Argument.Null(), SetConfigCall.Argument.Unknown() -> null;
            };
            DistributedSchema schema = text == null
                    ? null
                    : firstDistributed(SearchPath.parse(text).orElse(List.of()), context);
            if (schema != null) {
                return schema;
            }
        }
        return null;
    }

    // --- names ------------------------------------------------------------------------------------------------------

    private Route byNames(StatementFacts facts, RoutingContext context) {
        DistributedSchema named = null;
        for (int i = 0; i < facts.schemas().size(); i++) {
            DistributedSchema schema = context.catalog().schema(facts.schemas().get(i));
            if (schema == null) {
                continue;
            }
            if (named != null && !sameNode(named, schema)) {
                return Refusals.twoSchemas(named, schema);
            }
            named = named == null ? schema : named;
        }
        if (!facts.tenantryNames().isEmpty()) {
            return clusterView(facts, named, context);
        }
        if (named == null) {
            return byPath(facts, context);
        }
        if (facts.unqualifiedRelation() || facts.unqualifiedOther() || facts.readsPath()) {
            DistributedSchema first = firstDistributed(context.searchPath(), context);
            if (first != null && !sameNode(named, first)) {
                return Refusals.namedAndPath(named, first);
            }
        }
        return routes.to(named.node(), Reason.QUALIFIED);
    }

    private Route clusterView(StatementFacts facts, @Nullable DistributedSchema named, RoutingContext context) {
        Node coordinator = context.catalog().coordinator();
        DistributedSchema other = named;
        if (other == null && facts.unqualifiedRelation()) {
            other = firstDistributed(context.searchPath(), context);
        }
        if (other != null && other.node().nodeId() != coordinator.nodeId()) {
            return Refusals.clusterViewAndSchema(
                    facts.tenantryNames().getFirst().name(), other, coordinator);
        }
        return coordinator(context, Reason.CLUSTER_VIEW);
    }

    private Route byPath(StatementFacts facts, RoutingContext context) {
        if (facts.catalogUse() == CatalogUse.ONLY) {
            return byCatalog(facts, context);
        }
        boolean unqualified =
                facts.unqualifiedRelation() || facts.unqualifiedOther() || namesTemporary(facts.schemas());
        Node used = context.transactionNode();
        if (!unqualified && facts.schemas().isEmpty() && used != null) {
            return inBlock(facts, used, context);
        }
        if (!unqualified && !facts.schemas().isEmpty()) {
            return coordinator(context, Reason.COORDINATOR);
        }
        if (!unqualified) {
            DistributedSchema path = settingCall(facts, context);
            if (path != null) {
                return routes.to(path.node(), Reason.SEARCH_PATH);
            }
        }
        DistributedSchema first = firstDistributed(context.searchPath(), context);
        return first == null ? coordinator(context, Reason.COORDINATOR) : routes.to(first.node(), Reason.SEARCH_PATH);
    }

    /** A statement that names nothing stays where the transaction is, unless it asks what only another node knows. */
    private Route inBlock(StatementFacts facts, Node used, RoutingContext context) {
        DistributedSchema first = facts.readsPath() ? firstDistributed(context.searchPath(), context) : null;
        return first == null ? routes.to(used, Reason.TRANSACTION) : routes.to(first.node(), Reason.SEARCH_PATH);
    }

    /** Temporary objects are where the session is. */
    private static boolean namesTemporary(List<String> schemas) {
        for (int i = 0; i < schemas.size(); i++) {
            if (schemas.get(i).startsWith("pg_temp")) {
                return true;
            }
        }
        return false;
    }

    /** The first name of the list that is a distributed schema; {@code "$user"} is the current role's. */
    static @Nullable DistributedSchema firstDistributed(List<String> path, RoutingContext context) {
        CatalogView catalog = context.catalog();
        for (int i = 0; i < path.size(); i++) {
            String name = path.get(i);
            DistributedSchema schema = catalog.schema(name.equals(USER) ? context.currentRole() : name);
            if (schema != null) {
                return schema;
            }
        }
        return null;
    }

    // --- catalog queries --------------------------------------------------------------------------------------------

    private Route byCatalog(StatementFacts facts, RoutingContext context) {
        DistributedSchema literal = namedByLiteral(facts, context);
        DistributedSchema second = literal == null ? null : comparedElsewhere(facts, literal, context);
        if (literal != null && second != null) {
            return facts.globalCatalogOnly()
                    ? coordinator(context, Reason.CATALOG_GLOBAL)
                    : Refusals.twoSchemas(literal, second);
        }
        if (literal != null) {
            return routes.to(literal.node(), Reason.CATALOG_LITERAL);
        }
        Node used = context.transactionNode();
        if (facts.globalCatalogOnly()) {
            return used == null ? coordinator(context, Reason.CATALOG_GLOBAL) : inBlock(facts, used, context);
        }
        Node followed = context.catalogNode();
        if (followed != null && (facts.oidLiteral() || bindsOid(facts, context))) {
            return routes.to(followed, Reason.CATALOG_FOLLOW_UP);
        }
        if (used != null) {
            return inBlock(facts, used, context);
        }
        DistributedSchema first = firstDistributed(context.searchPath(), context);
        return first == null ? coordinator(context, Reason.COORDINATOR) : routes.to(first.node(), Reason.SEARCH_PATH);
    }

    /** What is compared with a column of schemas' names comes before what else may be one's name. */
    static @Nullable DistributedSchema namedByLiteral(StatementFacts facts, RoutingContext context) {
        DistributedSchema schema = comparedElsewhere(facts, null, context);
        if (schema == null) {
            schema = firstOf(facts.catalogLiterals(), context.catalog(), null);
        }
        int parameters = facts.parameterMayNameSchema() ? context.parameterCount() : 0;
        for (int number = 1; schema == null && number <= parameters; number++) {
            schema = byParameter(number, context, null);
        }
        return schema;
    }

    /** The first schema that is compared with such a column, but for those of the node of one. */
    private static @Nullable DistributedSchema comparedElsewhere(
            StatementFacts facts, @Nullable DistributedSchema one, RoutingContext context) {
        ComparedSchemas compared = facts.comparedSchemas();
        DistributedSchema schema = firstOf(compared.names(), context.catalog(), one);
        for (int i = 0; schema == null && i < compared.parameters().size(); i++) {
            int number = compared.parameters().get(i);
            schema = number <= context.parameterCount() ? byParameter(number, context, one) : null;
        }
        return schema;
    }

    private static @Nullable DistributedSchema byParameter(
            int number, RoutingContext context, @Nullable DistributedSchema one) {
        String text = context.parameter(number);
        return text == null ? null : firstOf(CatalogNames.candidates(text), context.catalog(), one);
    }

    /** The first of the names that is a distributed schema of another node than that one's. */
    private static @Nullable DistributedSchema firstOf(
            List<String> names, CatalogView catalog, @Nullable DistributedSchema one) {
        for (int i = 0; i < names.size(); i++) {
            DistributedSchema schema = catalog.schema(names.get(i));
            if (schema != null && (one == null || !sameNode(one, schema))) {
                return schema;
            }
        }
        return null;
    }

    private static boolean bindsOid(StatementFacts facts, RoutingContext context) {
        int parameters = facts.parameterMayNameSchema() ? context.parameterCount() : 0;
        for (int number = 1; number <= parameters; number++) {
            String text = context.parameter(number);
            if (text != null && CatalogNames.isOid(text)) {
                return true;
            }
        }
        return false;
    }

    private Route coordinator(RoutingContext context, Reason reason) {
        return routes.to(context.catalog().coordinator(), reason);
    }

    private static boolean sameNode(DistributedSchema one, DistributedSchema other) {
        return one.node().nodeId() == other.node().nodeId();
    }
}
