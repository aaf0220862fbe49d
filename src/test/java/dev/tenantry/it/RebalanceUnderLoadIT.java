package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Forty schemas of different sizes are spread anew while clients write to all of them: none sees an error, and every
 * confirmed write is there once.
 */
class RebalanceUnderLoadIT {

    private static final int SCHEMAS = 40;
    private static final int CLIENTS = 3;
    private static final int ROWS_OF_UNIT = 40;
    private static final double THRESHOLD = 0.1;

    /** Tables get free space maps and grow a little while they are written to. */
    private static final double GROWTH = 0.05;

    private static final Duration END_MAX = Duration.ofMinutes(2);

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLongArray confirmed = new AtomicLongArray(SCHEMAS + 1);
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final List<Thread> clients = new ArrayList<>();
    private final Cluster cluster = Cluster.start(2);
    private final PostgresNode third = PostgresNode.start("worker3");

    @BeforeEach
    void create() throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            for (int i = 1; i <= SCHEMAS; i++) {
                String schema = "r" + i;
                statement.execute("SET tenantry.node = 'worker" + (1 + i % 2) + "'");
                statement.execute("CREATE SCHEMA " + schema);
                statement.execute("CREATE TABLE " + schema + ".filler (id int PRIMARY KEY, text text);"
                        + "CREATE TABLE " + schema + ".sum (id int PRIMARY KEY, value bigint NOT NULL)");
                statement.execute("INSERT INTO " + schema + ".sum VALUES (1, 0)");
                statement.execute("INSERT INTO " + schema
                        + ".filler SELECT n, repeat('x', 900) FROM generate_series(1, " + i * ROWS_OF_UNIT + ") n");
            }
        }
        for (int i = 0; i < CLIENTS; i++) {
            Random random = new Random(i);
            clients.add(Thread.ofPlatform().start(() -> write(random)));
        }
    }

    @AfterEach
    void close() throws InterruptedException {
        stop.set(true);
        for (Thread client : clients) {
            client.join();
        }
        cluster.close();
        third.close();
    }

    @Test
    void levelsTheNodesEvenIfTheLeaderDiesHalfWay() throws Exception {
        AtomicInteger switched = new AtomicInteger();
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED && switched.incrementAndGet() == 4) {
                endConnectionsOfTheLeader();
            }
        });
        cluster.list("SELECT citus_add_node('" + third.host() + "', " + third.port() + ")");
        List<String> planned = cluster.list("SELECT schema_name || ' ' || target FROM tenantry_rebalance_plan()");
        assertThat(planned).hasSizeBetween(6, 30).allMatch(move -> move.endsWith(" worker3"));
        cluster.list("SELECT citus_rebalance_start()");
        awaitRebalance();
        assertThat(switched.get()).isGreaterThan(4);
        stopClients();
        assertThat(cluster.list("SELECT schema_name || ' worker3' FROM citus_schemas WHERE nodeport = " + third.port()))
                .containsExactlyInAnyOrderElementsOf(planned);
        List<Long> bytes =
                cluster
                        .list("SELECT bytes_before FROM tenantry_rebalance_forecast() WHERE node LIKE 'worker%'")
                        .stream()
                        .map(Long::parseLong)
                        .toList();
        double average = bytes.stream().mapToLong(Long::longValue).average().orElseThrow();
        assertThat(bytes)
                .allSatisfy(held -> assertThat(Math.abs(held / average - 1)).isLessThan(THRESHOLD + GROWTH));
        assertSums();
    }

    @Test
    void emptiesANodeWhichCanBeRemovedThen() throws Exception {
        cluster.list("SELECT citus_add_node('" + third.host() + "', " + third.port() + ")");
        PostgresNode leaving = cluster.worker(1);
        String address = "('" + leaving.host() + "', " + leaving.port() + ")";
        cluster.list("SELECT citus_drain_node" + address);
        assertThat(cluster.list("SELECT schema_name FROM citus_schemas WHERE nodeport = " + leaving.port()))
                .isEmpty();
        cluster.list("SELECT citus_remove_node" + address);
        long before = total();
        Eventually.passes(() -> assertThat(total()).isGreaterThan(before + 100));
        stopClients();
        assertThat(cluster.list("SELECT DISTINCT nodeport FROM citus_schemas")).hasSize(2);
        assertSums();
    }

    private void awaitRebalance() {
        Eventually.passes(
                END_MAX,
                () -> assertThat(cluster.list("SELECT state || ' ' || (details ->> 'task_state_counts')"
                                        + " FROM citus_rebalance_status()")
                                .getFirst())
                        .matches("finished \\{\"done\": \\d+\\}"));
    }

    private void endConnectionsOfTheLeader() {
        for (PostgresNode node : cluster.nodes()) {
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        + " WHERE application_name ~ '^tenantry( control|_.*_rows)$' AND pid <> pg_backend_pid()");
            } catch (SQLException failed) {
                throw new IllegalStateException(failed);
            }
        }
    }

    private void stopClients() throws InterruptedException {
        stop.set(true);
        for (Thread client : clients) {
            client.join();
        }
        assertThat(failures).isEmpty();
    }

    private void assertSums() throws SQLException {
        for (int i = 1; i <= SCHEMAS; i++) {
            assertThat(cluster.list("SELECT value FROM r" + i + ".sum"))
                    .as("schema r%d", i)
                    .containsExactly(Long.toString(confirmed.get(i)));
        }
    }

    private long total() {
        long total = 0;
        for (int i = 1; i <= SCHEMAS; i++) {
            total += confirmed.get(i);
        }
        return total;
    }

    private void write(Random random) {
        try (Connection client = cluster.connect()) {
            while (!stop.get()) {
                int schema = 1 + random.nextInt(SCHEMAS);
                try (PreparedStatement update =
                        client.prepareStatement("UPDATE r" + schema + ".sum SET value = value + 1 WHERE id = ?")) {
                    update.setInt(1, 1);
                    assertThat(update.executeUpdate()).isEqualTo(1);
                }
                confirmed.incrementAndGet(schema);
            }
        } catch (SQLException | AssertionError failed) {
            failures.add(failed);
        }
    }
}
