package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.Servers;
import dev.tenantry.StartupException;
import dev.tenantry.Tenantry;
import dev.tenantry.Wiring;
import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.embedded.FreePort;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.store.CatalogMigration;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The planes together: what is made through the proxy lies on a worker, and outlives the process. */
class ClusterIT {

    @Test
    void putsSchemaOnAWorkerAndKeepsItOverRestart() throws SQLException {
        try (Cluster cluster = Cluster.start(2)) {
            try (Connection client = cluster.connect();
                    Statement statement = client.createStatement()) {
                statement.execute("CREATE SCHEMA kept");
                statement.execute("CREATE TABLE kept.notes AS SELECT 42 AS x");
            }
            try (Connection node = cluster.connectToNodeOf("kept")) {
                assertThat(single(node, "SELECT x FROM notes")).isEqualTo("42");
            }
            cluster.closeProxy();
            cluster.startProxy();
            try (Connection client = cluster.connect()) {
                assertThat(single(client, "SELECT x FROM kept.notes")).isEqualTo("42");
            }
        }
    }

    @Test
    void endsIdleSessionsWithAReasonWhenStopped() throws SQLException {
        try (Cluster cluster = Cluster.start(1)) {
            try (Connection client = cluster.connect()) {
                assertThat(single(client, "SELECT 1")).isEqualTo("1");
                cluster.closeProxy();
                assertThatThrownBy(() -> single(client, "SELECT 1"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                error -> assertThat(error.getSQLState()).isIn("57P01", "08006"));
            }
        }
    }

    @Test
    void saysWhatAServerLacksAndWhatCantBeReached() throws Exception {
        Vertx vertx = Vertx.vertx();
        try (PostgresNode node = PostgresNode.start("coordinator")) {
            String wrongPassword = node.url().replace("tenantry:tenantry@", "tenantry:wrong@");
            assertThatThrownBy(() -> start(vertx, wrongPassword))
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining("password authentication failed");
            assertThatThrownBy(() -> start(vertx, "http://nowhere"))
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining("postgresql://user:password@host:port/database");
            assertThatThrownBy(() -> start(vertx, node.url(), "127.0.0.1:" + FreePort.draw()))
                    .isInstanceOf(StartupException.class)
                    .hasMessageStartingWith("could not connect to worker 127.0.0.1:");
            try (PostgresNode worker = PostgresNode.start("worker1")) {
                String elsewhere = node.url().replaceFirst("/tenantry$", "/elsewhere");
                node.list("CREATE DATABASE elsewhere");
                assertThatThrownBy(() -> start(vertx, elsewhere, worker.host() + ":" + worker.port()))
                        .isInstanceOf(StartupException.class)
                        .hasMessageStartingWith("worker " + worker.host() + ":" + worker.port()
                                + " can't be a node: database \"elsewhere\" does not exist");
            }
            assertThatThrownBy(() -> start(vertx, "postgresql://tenantry:tenantry@127.0.0.1:" + FreePort.draw() + "/x"))
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining("no connection to");
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    /** As guides to harden servers recommend it: what a role makes may be called by nobody else. */
    @Test
    void servesAllRolesWhereFunctionsAreRevokedFromEverybody() throws Exception {
        Vertx vertx = Vertx.vertx();
        try (PostgresNode coordinator = PostgresNode.start("coordinator");
                PostgresNode worker = PostgresNode.start("worker1")) {
            for (PostgresNode node : List.of(coordinator, worker)) {
                node.list("ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;"
                        + " ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC");
            }
            coordinator.list("CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT CREATE ON DATABASE tenantry TO plain;"
                    + " GRANT CREATE ON SCHEMA public TO plain");
            Servers servers = new Servers.Existing(coordinator.url(), List.of(worker.host() + ":" + worker.port()));
            try (Tenantry tenantry = Tenantry.start(servers, wiring(vertx));
                    Connection client = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:"
                            + tenantry.address().getPort() + "/tenantry?user=plain&password=plain");
                    Statement statement = client.createStatement()) {
                statement.execute("CREATE SCHEMA acme; CREATE TABLE acme.t AS SELECT 1 AS a");
                statement.execute("CREATE TABLE public.here AS SELECT 2 AS a");
                client.setAutoCommit(false);
                statement.execute("UPDATE acme.t SET a = 3");
                statement.execute("UPDATE public.here SET a = 4");
                client.commit();
                assertThat(single(client, "SELECT a FROM acme.t")).isEqualTo("3");
                assertThat(single(client, "SELECT a FROM public.here")).isEqualTo("4");
                assertThat(single(client, "SELECT count(*) FROM citus_schemas")).isEqualTo("1");
                assertThat(single(client, "SELECT count(*) FROM citus_shards")).isEqualTo("1");
                client.commit();
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    /** By the advisory lock of the tool that brings the catalog up to date, nobody keeps a proxy from starting. */
    @Test
    void installsTheCatalogAloneWhateverAdvisoryLocksAreHeld() throws Exception {
        PostgresNode node = Cluster.shared().coordinator();
        CoordinatorAddress address = CoordinatorAddress.parse(node.url());
        long key = 77431708279161L + "\"tenantry\".\"flyway_schema_history\"".hashCode();
        try (Connection other = node.connect();
                Statement holding = other.createStatement()) {
            holding.execute("SELECT pg_advisory_lock(" + key + ")");
            CompletableFuture<Void> first = CompletableFuture.runAsync(() -> CatalogMigration.migrate(address));
            awaitMigration(node, "wait_event = 'advisory'"); // the holder may be a process of a former version
            first.get(60, TimeUnit.SECONDS);
            holding.execute("SELECT pg_advisory_unlock(" + key + ")");
            other.setAutoCommit(false);
            holding.execute("LOCK TABLE pg_catalog.pg_shseclabel IN SHARE UPDATE EXCLUSIVE MODE");
            CompletableFuture<Void> second = CompletableFuture.runAsync(() -> CatalogMigration.migrate(address));
            awaitMigration(node, "wait_event_type = 'Lock'");
            other.rollback();
            second.get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void installsWhateverLimitsItsRoleHas() throws Exception {
        PostgresNode node = Cluster.shared().coordinator();
        CoordinatorAddress address = CoordinatorAddress.parse(node.url()).as("limited", "limited");
        try (Connection other = node.connect();
                Statement statement = other.createStatement()) {
            statement.execute("CREATE ROLE limited SUPERUSER LOGIN PASSWORD 'limited'");
            for (String limit : node.list("SELECT name FROM pg_settings WHERE name IN"
                    + " ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')")) {
                statement.execute("ALTER ROLE limited SET " + limit + " = 100");
            }
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE pg_catalog.pg_shseclabel IN SHARE UPDATE EXCLUSIVE MODE");
            CompletableFuture<Void> limited = CompletableFuture.runAsync(() -> CatalogMigration.migrate(address));
            awaitMigration(node, "wait_event_type = 'Lock' AND clock_timestamp() - xact_start > '0.3 s'");
            assertThat(limited).isNotDone();
            other.rollback();
            limited.get(60, TimeUnit.SECONDS);
            statement.execute("DROP ROLE limited");
            other.commit();
        }
    }

    private static void awaitMigration(PostgresNode node, String condition) {
        Eventually.holds(
                "a migration for which " + condition,
                () -> !node.list("SELECT pid FROM pg_stat_activity"
                                + " WHERE application_name = 'tenantry migration' AND " + condition)
                        .isEmpty());
    }

    private static void start(Vertx vertx, String coordinatorUrl, String... workers) throws InterruptedException {
        Servers servers = new Servers.Existing(coordinatorUrl, List.of(workers));
        Tenantry.start(servers, wiring(vertx)).close();
    }

    private static Wiring wiring(Vertx vertx) {
        return new Wiring(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Duration.ZERO,
                Duration.ofSeconds(1),
                ProxyLimits.forCores(1),
                ControlLimits.DEFAULT,
                TlsSettings.NONE,
                vertx,
                new SimpleMeterRegistry(),
                MovePoint.Observer.NONE,
                DistributedEnd.Observer.NONE);
    }

    private static String single(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
