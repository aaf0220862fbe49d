package dev.tenantry.routing;

import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.CatalogUse;
import dev.tenantry.sql.StatementFacts.Rows;
import dev.tenantry.sql.StatementKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which pauses a statement waits for if it begins a transaction: those of the nodes it goes to, of the schemas it
 * names, and, where it has names without a schema, of all schemas of the search_path. Pure.
 *
 * <p>What ends or looks at a pause is never held: our own views and functions. Nor is what finishes a prepared
 * transaction, which has begun long ago.
 */
public final class HeldStatements {

    private static final String USER = "$user";

    private HeldStatements() {}

    /**
     * The pauses, none twice.
     *
     * @param node where a route to one node leads
     */
    public static List<Pause> pauses(
            Pauses paused, StatementFacts facts, Route route, Node node, RoutingContext context) {
        List<Pause> found = new ArrayList<>();
        switch (route) {
            case Route.ToNode to -> {
                if (to.reason() != Route.Reason.CLUSTER_VIEW && !finishesPrepared(facts)) {
                    add(found, paused.ofNode(node.nodeId()));
                    schemas(paused, facts, to, context, found);
                }
            }
            case Route.ToAnyNode any -> add(found, paused.ofNode(node.nodeId()));
            case Route.ToEveryNode every ->
                context.catalog().nodes().forEach(each -> add(found, paused.ofNode(each.nodeId())));
            case Route.Locally locally -> schemaDdl(paused, facts, context, found);
            case Route.Refused refused -> {
                // told at once
            }
        }
        return found;
    }

    /** Whether a statement reads, as far as its text tells: one that calls a function of the user's may write. */
    public static boolean reads(StatementFacts facts) {
        return switch (facts.kind()) {
            case SELECT, VALUES, TABLE, COPY_TO, SHOW, DECLARE, FETCH, CLOSE -> facts.rows() != Rows.MAY_WRITE;
            default -> false;
        };
    }

    private static boolean finishesPrepared(StatementFacts facts) {
        return facts.kind() == StatementKind.COMMIT_PREPARED || facts.kind() == StatementKind.ROLLBACK_PREPARED;
    }

    private static void schemas(
            Pauses paused, StatementFacts facts, Route.ToNode to, RoutingContext context, List<Pause> found) {
        facts.schemas().forEach(name -> add(found, paused.ofSchema(name)));
        boolean byPath = facts.unqualifiedRelation()
                || facts.unqualifiedOther()
                || facts.readsPath()
                || to.reason() == Route.Reason.SEARCH_PATH && facts.kind() != StatementKind.SET;
        if (byPath) {
            for (String name : context.searchPath()) {
                add(found, paused.ofSchema(name.equals(USER) ? context.currentRole() : name));
            }
        }
        if (facts.catalogUse() == CatalogUse.ONLY) {
            facts.catalogLiterals().forEach(name -> add(found, paused.ofSchema(name)));
        }
    }

    /** Schema DDL reaches the coordinator and the owners; where CREATE SCHEMA goes is decided when it runs. */
    private static void schemaDdl(Pauses paused, StatementFacts facts, RoutingContext context, List<Pause> found) {
        add(found, paused.ofNode(context.catalog().coordinator().nodeId()));
        List<String> names = switch (facts.action()) {
            case StatementAction.DropSchema drop -> drop.names();
            case StatementAction.RenameSchema rename -> List.of(rename.name());
            case StatementAction.AlterSchemaOwner owner -> List.of(owner.name());
            case StatementAction.OnSchemas on -> on.names();
            default -> List.of();
        };
        for (String name : names) {
            add(found, paused.ofSchema(name));
            DistributedSchema schema = context.catalog().schema(name);
            if (schema != null) {
                add(found, paused.ofNode(schema.node().nodeId()));
            }
        }
    }

    private static void add(List<Pause> found, @Nullable Pause pause) {
        if (pause != null && !found.contains(pause)) {
            found.add(pause);
        }
    }
}
