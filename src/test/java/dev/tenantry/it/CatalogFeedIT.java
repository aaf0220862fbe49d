package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.UpkeepLimits;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.control.rebalance.RebalanceLimits;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The catalog as proxies see it, kept by a real coordinator and one worker. */
class CatalogFeedIT {

    private static final ControlLimits LIMITS = new ControlLimits(
            new FeedLimits(Duration.ofMillis(200), Duration.ofSeconds(5), Duration.ofMillis(200)),
            UpkeepLimits.DEFAULT,
            MoveLimits.DEFAULT,
            RebalanceLimits.DEFAULT);

    private static PostgresNode coordinator;
    private static PostgresNode worker;
    private static Vertx vertx;
    private static ControlPlane control;

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        worker = PostgresNode.start("worker1");
        vertx = Vertx.vertx();
        control = new ControlPlane(
                vertx,
                CoordinatorAddress.parse(coordinator.url()),
                List.of(new WorkerAddress(worker.host(), worker.port())),
                LIMITS,
                new SimpleMeterRegistry());
        control.start();
    }

    @AfterAll
    static void stop() {
        control.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        worker.close();
        coordinator.close();
    }

    private static void onCoordinator(String... statements) throws Exception {
        try (Connection connection = coordinator.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = on");
            connection.setAutoCommit(false);
            for (String sql : statements) {
                statement.execute(sql);
            }
            connection.commit();
        }
    }

    @Test
    void knowsTheNodes() {
        CatalogSnapshot snapshot = control.catalog().current();
        assertThat(snapshot.database()).isEqualTo("tenantry");
        assertThat(snapshot.clusterId()).matches("[0-9a-z]{12}");
        assertThat(snapshot.nodes())
                .extracting(node -> node.name() + " " + node.groupId() + " " + node.shouldHaveShards())
                .containsExactly("coordinator 0 false", "worker1 1 true");
        assertThat(snapshot.nodes().get(1).address()).isEqualTo(worker.host() + ":" + worker.port());
    }

    @Test
    void installsOnNodesWhatAnotherVersionNeedsBeforeThatBegins() throws Exception {
        onCoordinator("UPDATE tenantry.node_script SET script = 'DO ''BEGIN END''' WHERE name = 'install'");
        worker.list("SET tenantry.schema_ddl = on; DROP FUNCTION tenantry.transaction_part()");
        try (ControlPlane newer = new ControlPlane(
                vertx, CoordinatorAddress.parse(coordinator.url()), List.of(), LIMITS, new SimpleMeterRegistry())) {
            newer.start();
            assertThat(worker.list("SELECT to_regproc('tenantry.transaction_part')"))
                    .containsExactly("tenantry.transaction_part");
        }
    }

    @Test
    void installsOnNodesWhatAnotherVersionHasLeftToTheOneThatLeads() throws Exception {
        String script = coordinator
                .list("SELECT quote_literal(script) FROM tenantry.node_script WHERE name = 'install'")
                .getFirst();
        onCoordinator(
                "UPDATE tenantry.node_script SET script = script || '; CREATE OR REPLACE FUNCTION tenantry.newer()"
                        + " RETURNS int LANGUAGE sql RETURN 1' WHERE name = 'install'");
        Eventually.passes(() ->
                assertThat(worker.list("SELECT to_regproc('tenantry.newer')")).containsExactly("tenantry.newer"));
        onCoordinator("UPDATE tenantry.node_script SET script = " + script + " WHERE name = 'install'");
        worker.list("SET tenantry.schema_ddl = on; DROP FUNCTION tenantry.newer()");
    }

    @Test
    void followsSchemasThroughTheirLives() throws Exception {
        int node =
                control.catalog().current().nodeNamed("worker1").orElseThrow().nodeId();
        long version = control.catalog().current().version();
        onCoordinator("CREATE SCHEMA \"Ténant 1\"", "SELECT tenantry.register_schema('Ténant 1', " + node + ")");
        CatalogSnapshot created = control.catalog().refresh();
        assertThat(created.schema("Ténant 1"))
                .isNotNull()
                .satisfies(schema -> assertThat(schema.node().name()).isEqualTo("worker1"));
        assertThat(created.version()).isGreaterThan(version);
        assertThat(created.schemaCount(created.nodes().get(1))).isPositive();

        onCoordinator("ALTER SCHEMA \"Ténant 1\" RENAME TO renamed");
        Eventually.passes(() -> assertThat(control.catalog().current().schemas())
                .containsKey("renamed")
                .doesNotContainKey("Ténant 1"));

        onCoordinator("DROP SCHEMA renamed");
        Eventually.passes(
                () -> assertThat(control.catalog().current().schema("renamed")).isNull());
    }

    @Test
    void swapsNamesOfTwoSchemas() throws Exception {
        int node =
                control.catalog().current().nodeNamed("worker1").orElseThrow().nodeId();
        onCoordinator(
                "CREATE SCHEMA swap_a", "SELECT tenantry.register_schema('swap_a', " + node + ")",
                "CREATE SCHEMA swap_b", "SELECT tenantry.register_schema('swap_b', " + node + ")");
        CatalogSnapshot before = control.catalog().refresh();
        onCoordinator(
                "ALTER SCHEMA swap_a RENAME TO swap_c",
                "ALTER SCHEMA swap_b RENAME TO swap_a",
                "ALTER SCHEMA swap_c RENAME TO swap_b");
        CatalogSnapshot after = control.catalog().refresh();
        assertThat(colocationId(after, "swap_a")).isEqualTo(colocationId(before, "swap_b"));
        assertThat(colocationId(after, "swap_b")).isEqualTo(colocationId(before, "swap_a"));
        assertThat(after.schemas()).hasSameSizeAs(before.schemas());
    }

    private static int colocationId(CatalogSnapshot snapshot, String schema) {
        return Objects.requireNonNull(snapshot.schema(schema), schema).colocationId();
    }

    @Test
    void seesWhatCommitsAfterLaterTransactions() throws Exception {
        int node =
                control.catalog().current().nodeNamed("worker1").orElseThrow().nodeId();
        try (Connection slow = coordinator.connect();
                Statement statement = slow.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = on");
            slow.setAutoCommit(false);
            statement.execute("CREATE SCHEMA early");
            statement.execute("SELECT tenantry.register_schema('early', " + node + ")");
            onCoordinator("CREATE SCHEMA late", "SELECT tenantry.register_schema('late', " + node + ")");
            CatalogSnapshot between = control.catalog().refresh();
            assertThat(between.schemas()).containsKey("late").doesNotContainKey("early");
            slow.commit();
        }
        assertThat(control.catalog().refresh().schemas()).containsKeys("late", "early");
    }

    @Test
    void seesRolesChangedBehindItsBack() throws Exception {
        onCoordinator(
                "CREATE ROLE watched LOGIN PASSWORD 'secret'", "CREATE ROLE watchers", "GRANT pg_monitor TO watchers");
        Eventually.passes(() -> assertThat(control.catalog().current().role("watched"))
                .hasValueSatisfying(role -> {
                    assertThat(role.canLogin()).isTrue();
                    assertThat(role.monitor()).isFalse();
                    assertThat(role.verifier().orElseThrow()).startsWith("SCRAM-SHA-256$");
                }));
        onCoordinator(
                "GRANT watchers TO watched",
                "ALTER ROLE watched VALID UNTIL '2040-01-01 00:00:00+00'",
                "ALTER DATABASE tenantry SET work_mem = '1MB'",
                "ALTER DATABASE tenantry SET application_name = 'of database'",
                "ALTER ROLE watched SET work_mem = '2MB'",
                "ALTER ROLE watched SET search_path = \"$user\", 'Odd'",
                "ALTER ROLE watched SET TimeZone = 'UTC'",
                "ALTER ROLE watched IN DATABASE tenantry SET work_mem = '3MB'");
        LoginRole role = control.catalog().refresh().role("watched").orElseThrow();
        assertThat(role.monitor()).isTrue();
        assertThat(role.validUntil()).contains(Instant.parse("2040-01-01T00:00:00Z"));
        assertThat(role.settings())
                .containsEntry("work_mem", "3MB")
                .containsEntry("application_name", "of database")
                .containsEntry("timezone", "UTC")
                .containsEntry("search_path", "\"$user\", \"Odd\"");
        onCoordinator("ALTER DATABASE tenantry RESET ALL", "DROP ROLE watched");
        Eventually.passes(
                () -> assertThat(control.catalog().current().role("watched")).isEmpty());
    }

    @Test
    void keepsItsSnapshotWhileTheCoordinatorIsDownAndReadsAnewAfterwards() throws Exception {
        CatalogSnapshot before = control.catalog().refresh();
        coordinator.kill();
        assertThat(control.catalog().refresh().schemas()).isEqualTo(before.schemas());
        coordinator.restart();
        int node = before.nodeNamed("worker1").orElseThrow().nodeId();
        onCoordinator("CREATE SCHEMA after_crash", "SELECT tenantry.register_schema('after_crash', " + node + ")");
        Eventually.passes(
                () -> assertThat(control.catalog().current().schemas()).containsKey("after_crash"));
    }
}
