package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.ProxyProcess;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
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
 * A commit of two workers, of which the second decides, with something killed at each point of it by {@code kill -9}:
 * both have the rows or none, and nothing is left prepared. The coordinator takes no part, so its death changes
 * nothing. The table is in docs/operations.md, too.
 */
class WorkersCommitFaultIT {
    private static final AtomicInteger TRANSACTIONS = new AtomicInteger();
    private static Cluster cluster;
    private static @Nullable ProxyProcess proxy;

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
    static void start() throws Exception {
        cluster = Cluster.start(2);
        startProxy();
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
        if (proxy != null) {
            proxy.close();
        }
        cluster.close();
    }

    @ParameterizedTest
    @CsvSource({
        "BEFORE_PREPARE, CLIENT, BOTH",
        "BEFORE_PREPARE, PROXY, NONE",
        "BEFORE_PREPARE, COORDINATOR, BOTH",
        "BEFORE_PREPARE, OTHER, NONE",
        "BEFORE_PREPARE, DECIDER, NONE",
        "AFTER_PREPARE, CLIENT, BOTH",
        "AFTER_PREPARE, PROXY, NONE",
        "AFTER_PREPARE, COORDINATOR, BOTH",
        "AFTER_PREPARE, OTHER, BOTH",
        "AFTER_PREPARE, DECIDER, NONE",
        "AFTER_DECISION, CLIENT, BOTH",
        "AFTER_DECISION, PROXY, BOTH",
        "AFTER_DECISION, COORDINATOR, BOTH",
        "AFTER_DECISION, OTHER, BOTH",
        "AFTER_DECISION, DECIDER, BOTH",
        "AFTER_COMMIT_PREPARED, CLIENT, BOTH",
        "AFTER_COMMIT_PREPARED, PROXY, BOTH",
        "AFTER_COMMIT_PREPARED, COORDINATOR, BOTH",
        "AFTER_COMMIT_PREPARED, OTHER, BOTH",
        "AFTER_COMMIT_PREPARED, DECIDER, BOTH"
    })
    void endsWithBothOrNone(Point point, Victim victim, Outcome outcome) throws Exception {
        int id = TRANSACTIONS.incrementAndGet();
        AtomicReference<@Nullable Connection> client = new AtomicReference<>();
        ProxyProcess through = proxy();
        through.hold(point);
        CompletableFuture<Boolean> commit =
                CompletableFuture.supplyAsync(() -> commit(through, id, client), Thread::startVirtualThread);
        through.awaitHeld();
        switch (victim) {
            case CLIENT -> leave(through, Objects.requireNonNull(client.get()));
            case PROXY -> through.close();
            case COORDINATOR, OTHER, DECIDER -> node(victim).kill();
        }
        if (victim == Victim.PROXY) {
            startProxy();
        } else {
            through.go();
        }
        boolean confirmed = commit.get(1, TimeUnit.MINUTES);
        if (victim != Victim.PROXY && victim != Victim.CLIENT) {
            node(victim).restart();
        }
        Eventually.passes(() -> {
            for (PostgresNode node : cluster.nodes()) {
                assertThat(count(node, "SELECT count(*) FROM pg_prepared_xacts"))
                        .isZero();
            }
            int first = rows(1, id);
            assertThat(rows(2, id)).isEqualTo(first);
            assertThat(first).isEqualTo(outcome == Outcome.BOTH ? 1 : 0);
            assertThat(confirmed && first == 0).as("confirmed and lost").isFalse();
        });
    }

    private static boolean commit(ProxyProcess through, int id, AtomicReference<@Nullable Connection> opened) {
        try (Connection client = connect(through);
                Statement statement = client.createStatement()) {
            opened.set(client);
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

    private static Connection connect(ProxyProcess through) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + through.port()
                + "/tenantry?user=tenantry&password=tenantry&socketTimeout=20");
    }

    /** Returns when the proxy knows, whose one event loop has let somebody else in since. */
    private static void leave(ProxyProcess through, Connection client) throws SQLException {
        client.abort(Runnable::run);
        connect(through).close();
    }

    private static void startProxy() throws InterruptedException {
        proxy = ProxyProcess.start(cluster.nodes());
    }

    private static ProxyProcess proxy() {
        return Objects.requireNonNull(proxy);
    }

    private static PostgresNode node(Victim victim) {
        return victim == Victim.COORDINATOR ? cluster.coordinator() : cluster.worker(victim == Victim.OTHER ? 1 : 2);
    }

    private static int rows(int worker, int id) throws SQLException {
        return count(cluster.worker(worker), "SELECT count(*) FROM workers_" + worker + ".t WHERE id = " + id);
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
