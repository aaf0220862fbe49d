package dev.tenantry.routing;

import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.routing.Route.Reason;
import dev.tenantry.sql.StatementAction.AlterSchemaOwner;
import dev.tenantry.sql.StatementAction.CreateSchema;
import dev.tenantry.sql.StatementAction.DropSchema;
import dev.tenantry.sql.StatementAction.OnSchemas;
import dev.tenantry.sql.StatementAction.RenameSchema;
import dev.tenantry.sql.StatementFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A node that a statement goes to, for people.
 *
 * @param node its name; null when there is none, or none yet
 * @param reason why
 * @param schema the schemas that decide, with commas, if some do
 * @param refusal why the statement goes nowhere, if it does not
 */
public record ExplainedRoute(
        @Nullable String node, Reason reason, @Nullable String schema, Optional<Refusal> refusal) {

    /**
     * Puts a route in words, a line for each node.
     *
     * @param facts the statement
     * @param route what the router has made of it
     * @param context the same that the router was given
     * @param anyNode where the session is
     */
    public static List<ExplainedRoute> of(StatementFacts facts, Route route, RoutingContext context, Node anyNode) {
        return switch (route) {
            case Route.ToNode(Node node, Reason reason) -> List.of(to(node, reason, schema(facts, reason, context)));
            case Route.ToAnyNode(Reason reason) -> List.of(to(anyNode, reason, null));
            case Route.ToEveryNode(Reason reason) ->
                context.catalog().nodes().stream()
                        .filter(node -> node.isCoordinator() || node.active())
                        .map(node -> to(node, reason, null))
                        .toList();
            case Route.Locally(Reason reason) ->
                reason == Reason.SCHEMA_DDL
                        ? schemaDdl(facts, context)
                        : List.of(new ExplainedRoute(null, reason, null, Optional.empty()));
            case Route.Refused(Refusal refusal, Reason reason) ->
                List.of(new ExplainedRoute(null, reason, null, Optional.of(refusal)));
        };
    }

    private static ExplainedRoute to(Node node, Reason reason, @Nullable String schema) {
        return new ExplainedRoute(node.name(), reason, schema, Optional.empty());
    }

    private static @Nullable String schema(StatementFacts facts, Reason reason, RoutingContext context) {
        return switch (reason) {
            case QUALIFIED ->
                facts.schemas().stream()
                        .filter(name -> context.catalog().schema(name) != null)
                        .collect(Collectors.joining(", "));
            case SEARCH_PATH -> name(pathSchema(facts, context));
            case CATALOG_LITERAL -> name(Router.namedByLiteral(facts, context));
            case CATALOG_FOLLOW_UP,
                    CATALOG_GLOBAL,
                    TRANSACTION,
                    COORDINATOR,
                    CLUSTER_VIEW,
                    SESSION,
                    SCHEMA_DDL,
                    GLOBAL_DDL,
                    PREPARED,
                    PROXY,
                    REFUSED -> null;
        };
    }

    private static @Nullable DistributedSchema pathSchema(StatementFacts facts, RoutingContext context) {
        DistributedSchema set = Router.newPath(facts, context);
        if (set == null && !facts.unqualifiedRelation() && !facts.unqualifiedOther()) {
            set = Router.settingCall(facts, context);
        }
        return set == null ? Router.firstDistributed(context.searchPath(), context) : set;
    }

    private static @Nullable String name(@Nullable DistributedSchema schema) {
        return schema == null ? null : schema.name();
    }

    /** The coordinator has every schema's name; its owner, which for a new one is yet to be chosen, does the work. */
    private static List<ExplainedRoute> schemaDdl(StatementFacts facts, RoutingContext context) {
        Node coordinator = context.catalog().coordinator();
        List<String> names = switch (facts.action()) {
            case CreateSchema create ->
                create.name().equals(CreateSchema.NAME_OF_ROLE) ? List.of() : List.of(create.name());
            case DropSchema drop -> drop.names();
            case RenameSchema rename -> List.of(rename.name());
            case AlterSchemaOwner alter -> List.of(alter.name());
            case OnSchemas on -> on.names();
            default -> List.of();
        };
        List<ExplainedRoute> lines = new ArrayList<>();
        lines.add(to(coordinator, Reason.SCHEMA_DDL, String.join(", ", names)));
        for (String name : names) {
            DistributedSchema schema = context.catalog().schema(name);
            if (schema != null && schema.node().nodeId() != coordinator.nodeId()) {
                lines.add(to(schema.node(), Reason.SCHEMA_DDL, name));
            } else if (schema == null && facts.action() instanceof CreateSchema) {
                lines.add(new ExplainedRoute(null, Reason.SCHEMA_DDL, name, Optional.empty()));
            }
        }
        return lines;
    }
}
