package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.sql.SqlName;
import dev.tenantry.sql.StatementAction.EveryNode;
import dev.tenantry.sql.StatementAction.PasswordLiteral;
import dev.tenantry.sql.StatementAction.PlacedExtension;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.security.SecureRandom;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Roles, memberships, role and database settings, extensions: the same statement on every node inside the session's
 * transaction. A clear-text password is sent as one verifier, so that every node has the same. Runs on a virtual
 * thread.
 */
final class EveryNodeDdl {
    /** Tells event triggers that every node does this. Its end stands behind, so that positions stay as they are. */
    private static final String ALLOW = "SET LOCAL tenantry.every_node_ddl = 'on'";

    private static final String NO_MORE = "\n; SET LOCAL tenantry.every_node_ddl = 'off'";

    private static final int SALT_BYTES = 16;
    private static final int ITERATIONS = 4096;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final NodeCalls calls;
    private final CatalogOverlay catalog;
    private final SessionContext context;

    EveryNodeDdl(NodeCalls calls, CatalogOverlay catalog, SessionContext context) {
        this.calls = calls;
        this.catalog = catalog;
        this.context = context;
    }

    /** Runs the statement, whose text is one character a byte, and returns its command tag. */
    String run(EveryNode action, String text, int start) {
        String sql = action.password()
                .map(password -> text.substring(0, password.start() - start)
                        + literal(password)
                        + text.substring(password.end() - start))
                .orElse(text);
        BackendConnection coordinator = calls.enlist(catalog.coordinator());
        String schema = action.extension()
                .map(extension -> schemaOf(extension, coordinator))
                .orElse("");
        String tag = runOn(coordinator, sql, action.seen());
        for (Node node : catalog.nodes()) {
            if (node.active() && !node.isCoordinator()) {
                BackendConnection worker = calls.enlist(node);
                if (!schema.isEmpty()) {
                    ensureSchema(schema, worker);
                }
                runOnWorker(worker, sql, action.seen());
            }
        }
        calls.call(coordinator, "SELECT tenantry.catalog_changed()");
        calls.onLoop(catalog::touch);
        return tag;
    }

    private String runOn(BackendConnection backend, String sql, boolean seen) {
        if (seen) {
            calls.call(backend, ALLOW);
        }
        return calls.call(backend, seen ? sql + NO_MORE : sql).tags().getFirst();
    }

    private void runOnWorker(BackendConnection worker, String sql, boolean seen) {
        try {
            runOn(worker, sql, seen);
        } catch (NodeError refused) {
            throw refused.on(worker.node());
        }
    }

    /**
     * The schema that an extension will be in, which every node must have; nothing when it is there or cannot be had.
     *
     * @throws SqlErrorException when that schema is on one node only
     */
    private String schemaOf(PlacedExtension extension, BackendConnection coordinator) {
        String schema = extension.isNew()
                ? schemaOfNew(extension, coordinator)
                : extension.schema().orElse("");
        DistributedSchema distributed = catalog.schema(schema);
        if (distributed != null) {
            throw new SqlErrorException(SqlError.error(
                            "0A000",
                            "extension \"" + extension.name() + "\" can't be in distributed schema \"" + schema + "\"")
                    .withDetail("Extensions are on every node, and that schema is on node \""
                            + distributed.node().name() + "\" only.")
                    .withHint("Name a schema that is not distributed: "
                            + (extension.isNew()
                                    ? "CREATE EXTENSION ... SCHEMA public."
                                    : "ALTER EXTENSION ... SET SCHEMA public.")));
        }
        return schema;
    }

    private String schemaOfNew(PlacedExtension extension, BackendConnection coordinator) {
        String name = SqlName.literal(extension.name());
        List<@Nullable String> found = calls.call(
                        coordinator,
                        context.onWire("SELECT pg_catalog.bool_or(installed), pg_catalog.current_schema(),"
                                + " pg_catalog.min(schema)"
                                + " FROM pg_catalog.pg_available_extension_versions WHERE name = " + name))
                .rows()
                .getFirst();
        if (!"f".equals(found.get(0))) {
            return "";
        }
        String ofItsOwn = found.get(2);
        String schema = extension.schema().orElse(ofItsOwn == null ? found.get(1) : ofItsOwn);
        return schema == null ? "" : schema;
    }

    /** A schema that is not distributed is on the coordinator only until an extension needs it everywhere. */
    private void ensureSchema(String schema, BackendConnection worker) {
        boolean there = !calls.call(
                        worker,
                        context.onWire(
                                "SELECT FROM pg_catalog.pg_namespace WHERE nspname = " + SqlName.literal(schema)))
                .rows()
                .isEmpty();
        if (!there) {
            calls.call(worker, SchemaDdl.ALLOW);
            calls.call(worker, context.onWire("CREATE SCHEMA " + SqlName.quoted(schema)));
            calls.call(worker, SchemaDdl.NO_MORE);
        }
    }

    private static String literal(PasswordLiteral password) {
        String text = password.text();
        boolean hashed = text.isEmpty()
                || ScramVerifier.parse(text).isPresent()
                || text.startsWith("md5") && text.length() == 35;
        if (hashed) {
            return SqlName.literal(text);
        }
        byte[] salt = new byte[SALT_BYTES];
        RANDOM.nextBytes(salt);
        return SqlName.literal(ScramVerifier.of(text, ITERATIONS, salt).toString());
    }
}
