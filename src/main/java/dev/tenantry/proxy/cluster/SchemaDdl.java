package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.sql.SqlName;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementAction.CreateSchema;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * CREATE, DROP, ALTER SCHEMA and GRANT or COMMENT on schemas: the coordinator keeps the empty namespace and the catalog
 * row, the owner node the real one; both change inside the session's transaction. Runs on a virtual thread.
 */
final class SchemaDdl {
    /** Tells event triggers that this is the proxy's work, until it is done. */
    static final String ALLOW = "SET LOCAL tenantry.schema_ddl = 'on'";

    /** What else the transaction says is the client's. Where the work fails, ALLOW is undone with it. */
    static final String NO_MORE = "SET LOCAL tenantry.schema_ddl = 'off'";

    /** By its name, also where it was dropped and is made anew, as with Citus. */
    private static final String NEVER_DISTRIBUTED = "public";

    private static final String OWN = "tenantry";

    private static final String CHANGED = "SELECT tenantry.catalog_changed()";

    private final NodeCalls calls;
    private final CatalogOverlay catalog;
    private final CatalogFeed feed;
    private final SessionContext context;
    private final Set<BackendConnection> allowed = new LinkedHashSet<>();

    SchemaDdl(NodeCalls calls, CatalogOverlay catalog, CatalogFeed feed, SessionContext context) {
        this.calls = calls;
        this.catalog = catalog;
        this.feed = feed;
        this.context = context;
    }

    /** Runs the statement, whose text is one character a byte, and returns its command tag. */
    String run(StatementFacts facts, String text) {
        String tag = carriedOut(facts, text);
        calls.callAll(List.copyOf(allowed), NO_MORE);
        return tag;
    }

    private String carriedOut(StatementFacts facts, String text) {
        return switch (facts.action()) {
            case CreateSchema create -> create(create, text, text.substring(0, create.headerEnd() - facts.start()));
            case StatementAction.DropSchema drop -> drop(drop);
            case StatementAction.RenameSchema rename -> rename(rename, text);
            case StatementAction.AlterSchemaOwner owner -> alterOwner(owner.name(), text);
            case StatementAction.OnSchemas on -> onSchemas(on, text, facts.start());
            default -> throw new IllegalStateException("not about schemas: " + facts.action());
        };
    }

    private String create(CreateSchema create, String text, String header) {
        BackendConnection coordinator = allowed(catalog.coordinator());
        String name = name(create);
        if (!context.isSchemaBasedShardingEnabled()
                || name.equals(NEVER_DISTRIBUTED)
                || create.ifNotExists() && exists(coordinator, name)) {
            return tag(calls.call(coordinator, create.ifNotExists() && exists(coordinator, name) ? header : text));
        }
        BackendConnection owner = new SchemaPlacement(calls, catalog, feed, context)
                .find(coordinator, this::allowed, () -> calls.call(coordinator, header));
        Node node = owner.node();
        if (node.isCoordinator()) {
            CallResult created = calls.call(coordinator, text);
            put(name, register(coordinator, name, node), node);
            return tag(created);
        }
        calls.call(coordinator, header);
        int colocationId = register(coordinator, name, node);
        if (create.ifNotExists() && exists(owner, name)) {
            throw new SqlErrorException(SqlError.error(
                            "42P06", "schema \"" + name + "\" already exists on node \"" + node.name() + "\"")
                    .withDetail("It is not known to the cluster, and whoever uses it should not find another's.")
                    .withHint("Drop or rename what is there, or SET tenantry.node to another node."));
        }
        CallResult created = calls.call(owner, text);
        put(name, colocationId, node);
        calls.onLoop(() -> context.ownerIsMain(owner));
        return tag(created);
    }

    private String name(CreateSchema create) {
        if (!create.name().equals(CreateSchema.NAME_OF_ROLE)) {
            return create.name();
        }
        boolean session = create.authorization().orElse("").equalsIgnoreCase("SESSION_USER");
        return session ? context.sessionRole() : context.currentRole();
    }

    private int register(BackendConnection coordinator, String name, Node node) {
        CallResult registered = calls.call(
                coordinator,
                context.onWire(
                        "SELECT tenantry.register_schema(" + SqlName.literal(name) + ", " + node.nodeId() + ")"));
        String colocationId = registered.rows().getFirst().getFirst();
        return colocationId == null ? 0 : Integer.parseInt(colocationId);
    }

    private void put(String name, int colocationId, Node node) {
        calls.onLoop(() -> catalog.put(new DistributedSchema(name, colocationId, node)));
    }

    /** As the server itself would find it, which an old snapshot does not hide it from. */
    private boolean exists(BackendConnection backend, String name) {
        return !calls.call(
                        backend,
                        context.onWire("SELECT 1 WHERE pg_catalog.to_regnamespace("
                                + SqlName.literal(SqlName.quoted(name)) + ") IS NOT NULL"))
                .rows()
                .isEmpty();
    }

    /** Event triggers let the proxy drop and rename schemas, the cluster's own too. */
    private static void requireOthers(List<String> names, String verb) {
        if (names.contains(OWN)) {
            throw new SqlErrorException(SqlError.error(
                            "2BP01", "cannot " + verb + " schema " + OWN + " because the Tenantry cluster requires it")
                    .withDetail("It holds the cluster's catalog, and what is installed on every node."));
        }
    }

    private String drop(StatementAction.DropSchema drop) {
        requireOthers(drop.names(), "drop");
        String behaviour = drop.cascade() ? " CASCADE" : " RESTRICT";
        String start = "DROP SCHEMA " + (drop.ifExists() ? "IF EXISTS " : "");
        learnOwners(drop.names(), true);
        for (Map.Entry<Node, List<String>> owned : byOwner(drop.names()).entrySet()) {
            BackendConnection owner = allowed(owned.getKey());
            List<String> names = new ArrayList<>(owned.getValue());
            if (drop.ifExists()) {
                names.removeIf(name -> !exists(owner, name) && isDropped(name));
            }
            // IF EXISTS would pass where our catalog is old: the schema would be dropped on the coordinator alone.
            if (!names.isEmpty()) {
                calls.call(owner, context.onWire("DROP SCHEMA " + list(names) + behaviour));
            }
        }
        BackendConnection coordinator = allowed(catalog.coordinator());
        CallResult dropped = calls.call(coordinator, context.onWire(start + list(drop.names()) + behaviour));
        calls.call(coordinator, CHANGED);
        calls.onLoop(() -> drop.names().forEach(catalog::remove));
        return tag(dropped);
    }

    /** Whether somebody else has just dropped it; what is not where we know it to be can't be dropped now. */
    private boolean isDropped(String name) {
        if (exists(calls.enlist(catalog.coordinator()), name)) {
            throw new SqlErrorException(SqlError.error("55000", "schema \"" + name + "\" is not on its node any more")
                    .withDetail("It is being moved, or has been, and this proxy has not heard of it yet.")
                    .withHint("Try again."));
        }
        return true;
    }

    private String rename(StatementAction.RenameSchema rename, String text) {
        requireOthers(List.of(rename.name()), "rename");
        BackendConnection coordinator = learnOwners(List.of(rename.name()), true);
        DistributedSchema schema = catalog.schema(rename.name());
        CallResult renamed = calls.call(coordinator, text);
        if (schema != null) {
            if (!schema.node().isCoordinator()) {
                calls.call(allowed(schema.node()), text);
            }
            calls.call(coordinator, CHANGED);
            calls.onLoop(() -> {
                catalog.remove(rename.name());
                catalog.put(new DistributedSchema(rename.newName(), schema.colocationId(), schema.node()));
            });
        }
        return tag(renamed);
    }

    private String alterOwner(String name, String text) {
        BackendConnection coordinator = learnOwners(List.of(name), true);
        CallResult done = calls.call(coordinator, text);
        DistributedSchema schema = catalog.schema(name);
        if (schema != null && !schema.node().isCoordinator()) {
            calls.call(allowed(schema.node()), text);
        }
        calls.call(coordinator, CHANGED);
        calls.onLoop(catalog::touch);
        return tag(done);
    }

    /** A statement about schemas as they are runs on the coordinator, and on each owner with the schemas it owns. */
    private String onSchemas(StatementAction.OnSchemas on, String text, int start) {
        CallResult done = calls.call(learnOwners(on.names(), false), text);
        String before = text.substring(0, on.namesStart() - start);
        String after = text.substring(on.namesEnd() - start);
        for (Map.Entry<Node, List<String>> owned : byOwner(on.names()).entrySet()) {
            boolean all = owned.getValue().size() == on.names().size();
            calls.call(allowed(owned.getKey()), all ? text : before + context.onWire(list(owned.getValue())) + after);
        }
        return tag(done);
    }

    /**
     * What this proxy has heard of these schemas may be older than what their client knows: another proxy may have told
     * him that they are there, or somewhere else.
     *
     * @param altered whether they are to stay as they are until the statement has altered them
     * @return the coordinator's backend, on which the statement may be run
     */
    private BackendConnection learnOwners(List<String> names, boolean altered) {
        BackendConnection coordinator = allowed(catalog.coordinator());
        String list = names.stream().map(SqlName::literal).collect(Collectors.joining(", "));
        CallResult owners = calls.call(
                coordinator,
                context.onWire("SELECT number, colocationid, nodeid FROM tenantry.owners_of_schemas(ARRAY[" + list
                        + "]::pg_catalog.text[], " + altered + ")"));
        Map<String, DistributedSchema> found = new HashMap<>();
        for (List<@Nullable String> row : owners.rows()) {
            String name = names.get(number(row, 0) - 1);
            found.put(name, new DistributedSchema(name, number(row, 1), node(number(row, 2))));
        }
        calls.onLoop(() -> names.forEach(name -> learn(name, found.get(name))));
        return coordinator;
    }

    private static int number(List<@Nullable String> row, int column) {
        return Integer.parseInt(Objects.requireNonNull(row.get(column)));
    }

    private Node node(int nodeId) {
        return catalog.nodes().stream()
                .filter(node -> node.nodeId() == nodeId)
                .findFirst()
                .orElseThrow(() -> new SqlErrorException(
                        SqlError.error("40001", "a schema is on a node that this proxy has not heard of yet")
                                .withHint("Try again.")));
    }

    private void learn(String name, @Nullable DistributedSchema now) {
        DistributedSchema heard = catalog.schema(name);
        if (now == null) {
            if (heard != null) {
                catalog.remove(name);
            }
        } else if (heard == null
                || heard.colocationId() != now.colocationId()
                || heard.node().nodeId() != now.node().nodeId()) {
            catalog.put(now);
        }
    }

    /** Names by the worker that owns them; those of the coordinator are left out. */
    private Map<Node, List<String>> byOwner(List<String> names) {
        Map<Node, List<String>> owned = new LinkedHashMap<>();
        for (String name : names) {
            DistributedSchema schema = catalog.schema(name);
            if (schema != null && !schema.node().isCoordinator()) {
                owned.computeIfAbsent(schema.node(), node -> new ArrayList<>()).add(name);
            }
        }
        return owned;
    }

    private BackendConnection allowed(Node node) {
        BackendConnection backend = calls.enlist(node);
        if (!allowed.contains(backend)) {
            calls.call(backend, ALLOW);
            allowed.add(backend);
        }
        return backend;
    }

    private static String list(List<String> names) {
        return names.stream().map(SqlName::quoted).collect(Collectors.joining(", "));
    }

    static String tag(@Nullable CallResult result) {
        return result == null || result.tags().isEmpty() ? "" : result.tags().getLast();
    }
}
