package dev.tenantry.proxy.query;

import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.CatalogNames;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.CatalogUse;
import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import dev.tenantry.sql.StatementKind;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a session of pg_dump has asked for. It finds schemas by their names first and everything else by oids, which
 * are one node's own: a dump of schemas on several nodes would lack what is on the others, and pg_dump would not
 * notice. Such a dump is refused. So is one of everything but some schemas or tables (-N, -T): it looks for these names
 * in the same way, but goes on to what belongs to no schema or to others. Lives on the client's event loop.
 */
final class DumpScope {
    private static final String FEATURE_NOT_SUPPORTED = "0A000";
    private static final String REMEDY = "Dump one schema at a time, by its exact name (pg_dump -n acme).";
    private static final Pattern WILDCARD = Pattern.compile("[.*?+|()\\[\\]{}]");

    /** The kind of object that only what lists large objects names: {@code acldefault('L', lomowner)}. */
    private static final String LARGE_OBJECTS = "L";

    private final SessionContext context;
    private final Set<String> asked = new HashSet<>();
    private boolean named;
    private @Nullable Node node;

    DumpScope(SessionContext context) {
        this.context = context;
    }

    /** @throws SqlErrorException when the query belongs to a dump that one node can't answer */
    void check(StatementFacts facts, Route route) {
        boolean telling = facts.catalogUse() == CatalogUse.ONLY
                || facts.kind() == StatementKind.LOCK
                || facts.action() instanceof StatementAction.Execute;
        if (!telling || !(route instanceof Route.ToNode to) || !"pg_dump".equals(context.setting("application_name"))) {
            return;
        }
        if (named && isOfMoreThanNamed(facts) && workersHaveSchemas()) {
            throw refused(
                    "What it has of schemas that it does not name (-N, -T), or of none (-b), is on several nodes.");
        }
        if (facts.catalogUse() == CatalogUse.ONLY) {
            checkNames(facts, to.node());
        }
    }

    /**
     * Whether only a dump of more than the schemas that it has named needs this: what they do not have is locked; large
     * objects, or the privileges on columns of the system's own tables, are asked for.
     */
    private boolean isOfMoreThanNamed(StatementFacts facts) {
        if (facts.action() instanceof StatementAction.Execute(String name, List<Argument> arguments)) {
            return name.equals("getcolumnacls")
                    && arguments.size() == 1
                    && arguments.getFirst() instanceof Argument.Literal(String oid)
                    && !CatalogNames.isOid(oid);
        }
        return facts.kind() == StatementKind.LOCK
                ? !asked.containsAll(facts.schemas())
                : facts.catalogLiterals().contains(LARGE_OBJECTS)
                        && facts.comparedSchemas().names().isEmpty();
    }

    private void checkNames(StatementFacts facts, Node answering) {
        List<String> names = facts.comparedSchemas().names().stream()
                .filter(name -> !name.startsWith("pg_") && !name.equals("information_schema"))
                .toList();
        if (names.isEmpty()) {
            if (!named && !facts.globalCatalogOnly() && workersHaveSchemas()) {
                throw refused("The schemas of this cluster are on several nodes.");
            }
            return;
        }
        CatalogView catalog = context.catalog();
        Node dumped = catalog.coordinator();
        for (String name : names) {
            if (catalog.schema(name) != null) {
                dumped = answering;
            } else if (WILDCARD.matcher(name).find() && workersHaveSchemas()) {
                throw refused("The schemas that a pattern matches may be on several nodes.");
            }
        }
        if (node != null && node.nodeId() != dumped.nodeId()) {
            throw refused(
                    "What is to be dumped is on node \"" + node.name() + "\" and on node \"" + dumped.name() + "\".");
        }
        named = true;
        asked.addAll(names);
        node = dumped;
    }

    private boolean workersHaveSchemas() {
        CatalogView catalog = context.catalog();
        return catalog.nodes().stream().anyMatch(other -> !other.isCoordinator() && catalog.schemaCount(other) > 0);
    }

    private static SqlErrorException refused(String detail) {
        return new SqlErrorException(SqlError.error(FEATURE_NOT_SUPPORTED, "the dump would not be complete")
                .withDetail(detail)
                .withHint(REMEDY));
    }
}
