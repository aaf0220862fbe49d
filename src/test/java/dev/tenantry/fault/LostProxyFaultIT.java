package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.MoveTraces;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.ProxyProcess;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Proxies that can't say any more that they have heard of a pause: one that was killed, and one that is back. */
class LostProxyFaultIT {

    /** Less than half of what is believed of a process that hangs. */
    private static final Duration SOON = Duration.ofSeconds(12);

    private static Cluster cluster;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Killed with an open transaction of the schema, and without a word, when the cut-over is about to begin. */
    @Test
    void aKilledProxyHoldsNoCutOverUpForLong() throws Exception {
        create("killed", "worker1");
        AtomicReference<@Nullable Instant> died = new AtomicReference<>();
        AtomicInteger pauses = new AtomicInteger();
        try (ProxyProcess other = ProxyProcess.start(cluster.nodes())) {
            Eventually.passes(() -> assertThat(proxies()).isEqualTo("2"));
            Connection lost = DriverManager.getConnection(
                    cluster.jdbcUrl().replace(":" + cluster.port() + "/", ":" + other.port() + "/"));
            lost.setAutoCommit(false);
            try (Statement statement = lost.createStatement()) {
                statement.execute("INSERT INTO killed.t VALUES (1)");
                lost.commit();
            }
            cluster.observeMoves(point -> {
                if (point == MovePoint.VERIFIED) {
                    write(lost); // which the copy does not have to have when it is compared
                    other.kill();
                    died.set(Instant.now());
                } else if (point == MovePoint.PAUSED) {
                    pauses.incrementAndGet();
                }
            });
            move("killed", cluster.worker(2));
        }
        assertThat(Duration.between(died.get(), Instant.now())).isLessThan(SOON);
        assertThat(pauses).as("times that clients waited").hasValueLessThanOrEqualTo(2);
        assertThat(proxies()).isEqualTo("1");
        assertThat(cluster.list("SELECT a FROM killed.t")).containsExactly("1");
        MoveTraces.assertOnlyOn(cluster, cluster.worker(2), "killed");
        MoveTraces.assertNone(cluster);
    }

    /** Its session with the coordinator is ended again and again; it is back each time before it is given up. */
    @Test
    void aProxyThatHasLostItsSessionIsWaitedFor() throws Exception {
        PostgresNode coordinator = cluster.coordinator();
        Eventually.passes(() -> assertThat(proxies()).isEqualTo("1"));
        for (int i = 0; i < 3; i++) {
            List<String> session = session(coordinator);
            coordinator.list("SELECT pg_terminate_backend(session_pid, 1000) FROM tenantry.proxy");
            Eventually.passes(Duration.ofSeconds(4), () -> {
                assertThat(proxies()).isEqualTo("1");
                assertThat(session(coordinator)).hasSize(1).isNotEqualTo(session);
            });
        }
    }

    private static List<String> session(PostgresNode coordinator) throws SQLException {
        return coordinator.list("SELECT session_pid FROM tenantry.proxy JOIN tenantry.live_proxy USING (proxyid)"
                + " JOIN pg_stat_activity ON pid = session_pid");
    }

    private static void write(Connection client) {
        try (Statement statement = client.createStatement()) {
            statement.execute("INSERT INTO killed.t VALUES (2)");
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static String proxies() throws SQLException {
        return cluster.coordinator()
                .list("SELECT count(*) FROM tenantry.live_proxy")
                .getFirst();
    }

    private static void create(String schema, String node) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = '" + node + "'");
            statement.execute("CREATE SCHEMA " + schema);
            statement.execute("CREATE TABLE " + schema + ".t (a int PRIMARY KEY)");
        }
    }

    private static void move(String schema, PostgresNode target) throws SQLException {
        cluster.list("SELECT citus_schema_move('%s', '%s', %d)".formatted(schema, target.host(), target.port()));
    }
}
