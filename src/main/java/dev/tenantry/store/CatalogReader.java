package dev.tenantry.store;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.catalog.SchemaMap;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows the catalog over one connection: the first reading takes everything, each later one what changed. Used by one
 * thread. What a reading may have missed is in transactions at or above the xmin of its first statement's snapshot, so
 * the next one asks for rows from there on; rows read twice do no harm.
 */
final class CatalogReader {

    private static final String HEAD = "SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text, ("
            + RoleReader.FINGERPRINT + ")";
    private static final String BEGINNING = "0";

    /** What the catalog says where readers go on. */
    private static final String WRITERS = "writers";

    private final ServerConnection connection;
    private final String clusterId;
    private final String database;
    private final Map<Long, DistributedSchema> byId = new HashMap<>();
    private SchemaMap schemas = SchemaMap.EMPTY;
    private List<Node> nodes = List.of();
    private Map<Integer, Long> sizes = Map.of();
    private Map<String, LoginRole> roles = Map.of();
    private String rolesFingerprint = "";
    private String xmin = BEGINNING;
    private Pauses pauses = Pauses.NONE;

    CatalogReader(ServerConnection connection) {
        this.connection = connection;
        Row identity = connection.query(CatalogSql.IDENTITY).iterator().next();
        this.clusterId = identity.getString(0);
        this.database = identity.getString(1);
    }

    /** Reads what changed; returns the snapshot before if that was nothing. */
    CatalogSnapshot next(@Nullable CatalogSnapshot before) {
        // Sent together: the server takes a snapshot for each, in this order, so none is older than the first.
        Future<RowSet<Row>> head = connection.send(HEAD);
        // Pauses before what they may be for: who goes on because one is over must find what was done meanwhile.
        Future<RowSet<Row>> pauseRows = connection.send(CatalogSql.PAUSES);
        // What went before what came: a schema whose namespace is replaced must not be missing for a moment.
        Future<RowSet<Row>> dropped = connection.send(CatalogSql.DROPPED_SINCE, xmin);
        Future<RowSet<Row>> changed = connection.send(CatalogSql.SCHEMAS_SINCE, xmin);
        Future<RowSet<Row>> nodeRows = connection.send(CatalogSql.NODES);
        Row first = connection.await(head).iterator().next();
        boolean news = takeNodes(connection.await(nodeRows));
        news |= takeSchemas(connection.await(changed), connection.await(dropped));
        news |= takePauses(connection.await(pauseRows));
        news |= takeRoles(first.getString(1));
        xmin = first.getString(0);
        if (before != null && !news) {
            return before;
        }
        long version = before == null ? 1 : before.version() + 1;
        return new CatalogSnapshot(version, clusterId, database, nodes, schemas, roles)
                .withPauses(pauses)
                .withSizes(sizes);
    }

    private boolean takeNodes(RowSet<Row> rows) {
        List<Node> found = new ArrayList<>();
        Map<Integer, Long> measured = new HashMap<>();
        for (Row row : rows) {
            measured.put(row.getInteger(0), row.getLong(7));
            found.add(new Node(
                    row.getInteger(0),
                    row.getInteger(1),
                    row.getString(2),
                    row.getString(3),
                    row.getInteger(4),
                    row.getBoolean(5),
                    row.getBoolean(6)));
        }
        boolean grown = !measured.equals(sizes);
        sizes = measured;
        if (found.equals(nodes)) {
            return grown;
        }
        nodes = List.copyOf(found);
        byId.values().removeIf(schema -> node(schema.node().nodeId()).isEmpty());
        byId.replaceAll((id, schema) -> node(schema.node().nodeId())
                .map(node -> new DistributedSchema(schema.name(), schema.colocationId(), node, schema.placed()))
                .orElseThrow());
        schemas = SchemaMap.EMPTY.with(List.of(), byId.values());
        return true;
    }

    private boolean takeSchemas(RowSet<Row> changed, RowSet<Row> dropped) {
        List<String> gone = new ArrayList<>();
        Map<Long, DistributedSchema> present = new HashMap<>();
        for (Row row : changed) {
            // Without its node, which was read later, the row is out of date and will be read again.
            node(row.getInteger(3))
                    .ifPresent(node -> present.put(
                            row.getLong(0),
                            new DistributedSchema(row.getString(1), row.getInteger(2), node, row.getLong(4))));
        }
        for (Row row : dropped) {
            forget(row.getLong(0), gone);
            present.remove(row.getLong(0));
        }
        present.entrySet().removeIf(entry -> entry.getValue().equals(byId.get(entry.getKey())));
        if (gone.isEmpty() && present.isEmpty()) {
            return false;
        }
        present.keySet().forEach(id -> forget(id, gone));
        byId.putAll(present);
        Set<String> names = Set.copyOf(gone);
        List<DistributedSchema> there = new ArrayList<>(present.values());
        if (!names.isEmpty()) {
            byId.values().stream().filter(it -> names.contains(it.name())).forEach(there::add);
        }
        schemas = schemas.with(gone, there);
        return true;
    }

    private boolean takePauses(RowSet<Row> rows) {
        List<Pause> found = new ArrayList<>();
        for (Row row : rows) {
            String schema = row.getString(1);
            found.add(
                    schema != null
                            ? new Pause.OfSchema(
                                    row.getLong(0),
                                    schema,
                                    row.getString(3).equals(WRITERS) ? Pause.Held.WRITERS : Pause.Held.ALL)
                            : new Pause.OfNode(row.getLong(0), row.getInteger(2)));
        }
        if (found.equals(pauses.all())) {
            return false;
        }
        pauses = Pauses.of(found);
        return true;
    }

    private void forget(long id, List<String> gone) {
        DistributedSchema old = byId.remove(id);
        if (old != null) {
            gone.add(old.name());
        }
    }

    private boolean takeRoles(String fingerprint) {
        if (fingerprint.equals(rolesFingerprint)) {
            return false;
        }
        roles = RoleReader.read(connection);
        rolesFingerprint = fingerprint;
        return true;
    }

    private Optional<Node> node(int nodeId) {
        return nodes.stream().filter(node -> node.nodeId() == nodeId).findFirst();
    }
}
