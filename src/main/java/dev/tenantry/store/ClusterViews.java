package dev.tenantry.store;

import io.vertx.core.Vertx;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Reads views of the cluster page by page. May be used from any number of virtual threads; a few are served at a time,
 * the others wait their turn.
 */
public final class ClusterViews {

    private static final int AT_A_TIME = 4;
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

    private static final String OF_SCHEMAS = """
            colocation_id IN (
                SELECT s.colocationid FROM tenantry.schema s JOIN pg_catalog.pg_namespace n ON n.oid = s.schemaid
                WHERE n.nspname = ANY ($1::text[]))
            """;

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final Semaphore turns = new Semaphore(AT_A_TIME, true);

    /** Reads from that coordinator. */
    public ClusterViews(Vertx vertx, CoordinatorAddress coordinator) {
        this.vertx = vertx;
        this.coordinator = coordinator;
    }

    /** Some rows of a view, and how many there are. */
    public record Rows<T>(long total, List<T> items) {}

    /**
     * Some rows of a view.
     *
     * @param names schemas whose rows are wanted; all rows when there are none
     * @param limit how many rows at most
     * @param offset how many to leave out before
     */
    public <T> Rows<T> read(ClusterView<T> view, List<String> names, int limit, int offset) {
        String filter = names.isEmpty() ? "cardinality($1::text[]) = 0" : OF_SCHEMAS;
        String sql = """
                WITH shown AS MATERIALIZED (SELECT * FROM (%s) AS view WHERE %s),
                     page AS (SELECT *, row_number() OVER () AS position FROM shown LIMIT $2 OFFSET $3)
                SELECT counted.total, page.* FROM (SELECT count(*) AS total FROM shown) AS counted
                LEFT JOIN page ON true ORDER BY page.position
                """.formatted(view.select(), filter);
        List<T> items = new ArrayList<>();
        long total = 0;
        takeTurn();
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
            for (Row row : connection.query(sql, names.toArray(new String[0]), (long) limit, (long) offset)) {
                total = row.getLong(0);
                if (row.getValue(1) != null) {
                    items.add(view.item(row));
                }
            }
        } finally {
            turns.release();
        }
        return new Rows<>(total, items);
    }

    private void takeTurn() {
        try {
            if (!turns.tryAcquire(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new CatalogUnavailableException(
                        "too many requests for " + coordinator, new IllegalStateException("no turn"));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new CatalogUnavailableException("interrupted", interrupted);
        }
    }
}
