package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A commit of two workers, of which the second decides, with something killed at points of it: both have the rows or
 * none, and nothing is left prepared. The coordinator takes no part, so its death changes nothing.
 */
class WorkersCommitFaultIT {
    private static final Duration COMMIT_MAX = Duration.ofSeconds(10);
    private static final AtomicInteger TRANSACTIONS = new AtomicInteger();
    private static @Nullable Cluster started;

    /** What dies. */
    enum Victim {
        CLIENT,
        PROXY,
        COORDINATOR,
        OTHER,
        DECIDER
    }

    /** What must become of the rows. */
    enum Outcome {
        BOTH,
        NONE
    }

    @BeforeAll
    static void start() throws SQLException {
        Cluster cluster = Cluster.start(2);
        started = cluster;
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            for (int i = 1; i <= 2; i++) {
                statement.execute("SET tenantry.node = 'worker" + i + "'");
                statement.execute("CREATE SCHEMA workers_" + i);
                statement.execute("CREATE TABLE workers_" + i + ".t (id int)");
            }
        }
    }

    @AfterAll
    static void stop() {
        if (started != null) {
            started.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "BEFORE_PREPARE, CLIENT, BOTH",
        "BEFORE_PREPARE, OTHER, NONE",
        "BEFORE_PREPARE, DECIDER, NONE",
        "AFTER_PREPARE, CLIENT, BOTH",
        "AFTER_PREPARE, PROXY, NONE",
        "AFTER_PREPARE, COORDINATOR, BOTH",
        "AFTER_PREPARE, OTHER, BOTH",
        "AFTER_PREPARE, DECIDER, NONE",
        "AFTER_DECISION, CLIENT, BOTH",
        "AFTER_DECISION, PROXY, BOTH",
        "AFTER_DECISION, OTHER, BOTH",
        "AFTER_DECISION, DECIDER, BOTH",
        "AFTER_COMMIT_PREPARED, PROXY, BOTH"
    })
    void endsWithBothOrNone(Point point, Victim victim, Outcome outcome) throws Exception {
        int id = TRANSACTIONS.incrementAndGet();
        AtomicReference<@Nullable ProxyServer> proxy = new AtomicReference<>();
        AtomicReference<@Nullable Connection> client = new AtomicReference<>();
        CompletableFuture<Victim> killed = new CompletableFuture<>();
        DistributedEnd.Observer killer = reached -> {
            if (reached == point) {
                kill(victim, proxy, client);
                killed.complete(victim);
            }
        };
        boolean confirmed;
        try (ProxyServer server = cluster().anotherProxy(killer)) {
            proxy.set(server);
            confirmed = commit(server, id, client);
            if (killed.get(1, TimeUnit.MINUTES) == Victim.CLIENT) {
                server.drain(COMMIT_MAX); // which does not leave a commit whose client has left
            }
        }
        revive(victim);
        Eventually.passes(() -> {
            for (PostgresNode node : cluster().nodes()) {
                assertThat(count(node, "SELECT count(*) FROM pg_prepared_xacts"))
                        .isZero();
            }
            int first = rows(1, id);
            assertThat(rows(2, id)).isEqualTo(first);
            assertThat(first).isEqualTo(outcome == Outcome.BOTH ? 1 : 0);
            assertThat(confirmed && first == 0).as("confirmed and lost").isFalse();
        });
    }

    private static boolean commit(ProxyServer server, int id, AtomicReference<@Nullable Connection> started) {
        try (Connection client = connect(server);
                Statement statement = client.createStatement()) {
            started.set(client);
            statement.execute("BEGIN");
            statement.execute("INSERT INTO workers_1.t VALUES (" + id + ")");
            statement.execute("INSERT INTO workers_2.t VALUES (" + id + ")");
            statement.execute("COMMIT");
            return true;
        } catch (SQLException failed) {
            assertThat(failed.getSQLState()).isNotNull();
            return false;
        }
    }

    private static Connection connect(ProxyServer server) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:"
                + server.address().getPort() + "/tenantry?user=tenantry&password=tenantry&socketTimeout=20");
    }

    private static void kill(
            Victim victim, AtomicReference<@Nullable ProxyServer> proxy, AtomicReference<@Nullable Connection> client) {
        ProxyServer server = Objects.requireNonNull(proxy.get());
        switch (victim) {
            case CLIENT -> leave(server, Objects.requireNonNull(client.get()));
            case PROXY -> server.close();
            case COORDINATOR, OTHER, DECIDER -> node(victim).kill();
        }
    }

    /** Returns when the proxy knows, whose one event loop has let somebody else in since. */
    private static void leave(ProxyServer server, Connection client) {
        try {
            client.abort(Runnable::run);
            connect(server).close();
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static void revive(Victim victim) {
        if (victim != Victim.PROXY && victim != Victim.CLIENT) {
            node(victim).restart();
        }
    }

    private static PostgresNode node(Victim victim) {
        return victim == Victim.COORDINATOR
                ? cluster().coordinator()
                : cluster().worker(victim == Victim.OTHER ? 1 : 2);
    }

    private static Cluster cluster() {
        Cluster cluster = started;
        if (cluster == null) {
            throw new IllegalStateException("not started");
        }
        return cluster;
    }

    private static int rows(int worker, int id) throws SQLException {
        return count(cluster().worker(worker), "SELECT count(*) FROM workers_" + worker + ".t WHERE id = " + id);
    }

    private static int count(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
