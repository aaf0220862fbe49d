package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.rebalance.RebalanceStore;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rebalances of which something fails, or that find another world than was planned for. */
class RebalanceTroubleIT {

    private static final String LAST =
            "SELECT state || ' ' || (details ->> 'task_state_counts')" + " FROM citus_rebalance_status()";
    private static Cluster cluster;

    private Connection client;
    private Statement statement;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void create() throws SQLException {
        client = cluster.connect();
        statement = client.createStatement();
        statement.execute("SET tenantry.node = 'worker1'");
        for (int size : new int[] {100, 101, 102, 103, 104, 200}) {
            statement.execute("CREATE SCHEMA t" + size);
            statement.execute("CREATE TABLE t" + size + ".t AS SELECT i, repeat('x', 900) AS filler"
                    + " FROM generate_series(1, " + size + ") i");
        }
    }

    @AfterEach
    void clean() throws SQLException {
        cluster.observeMoves(MovePoint.Observer.NONE);
        for (String schema : values("SELECT schema_name::text FROM citus_schemas")) {
            statement.execute("DROP SCHEMA " + schema + " CASCADE");
        }
        client.close();
    }

    @Test
    void oneMoveThatCannotBeDoesNotHoldUpTheOthers() throws SQLException {
        statement.execute("CREATE VIEW t104.v AS SELECT * FROM t200.t");
        values("SELECT citus_rebalance_start()");
        values("SELECT citus_rebalance_wait()");
        assertThat(values(LAST)).containsExactly("failed {\"done\": 1, \"error\": 1}");
        assertThat(values("SELECT task ->> 'state' || ' ' || (task ->> 'retried') || ' ' || (task ->> 'message')"
                        + " FROM citus_rebalance_status(), jsonb_array_elements(details -> 'tasks') task"))
                .singleElement()
                .asString()
                .startsWith("error 0 ")
                .contains("t200");
    }

    @Test
    void whoWaitsIsToldWhatCannotBe() throws SQLException {
        statement.execute("CREATE VIEW t104.v AS SELECT * FROM t200.t");
        assertThatThrownBy(() -> values("SELECT rebalance_table_shards()"))
                .isInstanceOfSatisfying(
                        SQLException.class,
                        refused -> assertThat(refused.getSQLState()).isEqualTo("0A000"))
                .hasMessageContaining("t200");
        assertThat(values("SELECT state FROM citus_rebalance_status()"))
                .singleElement()
                .asString()
                .matches("cancelled|failed");
    }

    @Test
    void aMoveThatFailedForAReasonThatMayPassIsTriedAgain() throws SQLException {
        onCoordinator("""
                WITH job AS (
                    INSERT INTO tenantry.background_job (
                        state, job_type, description, owner, options, nodes_planned, retries_max)
                    VALUES ('running', 'rebalance', 'made up', current_user::regrole, '{}', tenantry.nodes_now(), 5)
                    RETURNING job_id
                ), failed AS (
                    INSERT INTO tenantry.move (schemaid, schema_name, source_nodeid, target_nodeid, transfer_mode,
                                               requested_by, phase, sqlstate, message, finished_at)
                    SELECT 't200'::regnamespace, 't200', s.nodeid, t.nodeid, 'auto', current_user, 'failed', '53100',
                           'disk full', clock_timestamp()
                    FROM tenantry.node s, tenantry.node t WHERE s.name = 'worker1' AND t.name = 'worker2'
                    RETURNING *
                )
                INSERT INTO tenantry.background_task (
                    job_id, status, command, schemaid, source_nodeid, target_nodeid, transfer_mode, moveid)
                SELECT job_id, 'running', '', schemaid, source_nodeid, target_nodeid, 'auto', moveid FROM job, failed
                """);
        values("SELECT citus_task_wait(max(task_id), 'runnable') FROM pg_dist_background_task");
        assertThat(values("SELECT retry_count || ' ' || message || ' ' || (not_before > now() + interval '3 s')"
                        + " FROM pg_dist_background_task ORDER BY task_id DESC LIMIT 1"))
                .containsExactly("1 disk full true");
        values("SELECT citus_rebalance_wait()");
        assertThat(values(LAST)).containsExactly("finished {\"done\": 1}");
    }

    @Test
    void whatWasDroppedOrMovedMeanwhileIsLeftOut() throws Exception {
        onCoordinator("UPDATE tenantry.background_job SET state = 'cancelling' WHERE finished_at IS NULL");
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED) {
                reached.countDown();
                goOn.await();
            }
        });
        values("SELECT tenantry_move_start('t100', '" + cluster.worker(2).host() + "', "
                + cluster.worker(2).port() + ")");
        values("SELECT tenantry_move_start('t101', '" + cluster.worker(2).host() + "', "
                + cluster.worker(2).port() + ")");
        reached.await(); // both places of the nodes are taken
        statement.execute("SET tenantry.node = 'worker2'");
        statement.execute("CREATE SCHEMA leaving");
        values("SELECT tenantry_set_node_capacity('" + cluster.worker(1).host() + "', "
                + cluster.worker(1).port() + ", 100)");
        values("SELECT citus_rebalance_start()");
        statement.execute("DROP SCHEMA leaving");
        goOn.countDown();
        values("SELECT citus_rebalance_wait()");
        onCoordinator("DELETE FROM tenantry.node_capacity");
        assertThat(values("SELECT status || ' ' || message FROM pg_dist_background_task ORDER BY task_id DESC LIMIT 1"))
                .containsExactly("cancelled the schema has been dropped");
    }

    @Test
    void atTheEndOfItsWindowNoMoreMovesBegin() throws Exception {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED) {
                reached.countDown();
                goOn.await();
            }
        });
        PostgresNode empty = cluster.worker(1);
        values("SELECT citus_set_node_property('" + empty.host() + "', " + empty.port()
                + ", 'shouldhaveshards', false)");
        values("SELECT citus_rebalance_start()");
        reached.await();
        Vertx vertx = Vertx.vertx();
        try (ServerConnection connection = ServerConnection.open(
                vertx, CoordinatorAddress.parse(cluster.coordinator().url()), Duration.ofSeconds(10))) {
            new RebalanceStore(connection).beginNoMore("Rebalance all colocation groups", "the window has ended");
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
        goOn.countDown();
        values("SELECT citus_rebalance_wait()");
        values("SELECT citus_set_node_property('" + empty.host() + "', " + empty.port()
                + ", 'shouldhaveshards', true)");
        assertThat(values(LAST)).containsExactly("finished {\"done\": 2, \"cancelled\": 4}");
        assertThat(values("SELECT DISTINCT message FROM pg_dist_background_task WHERE job_id ="
                        + " (SELECT job_id FROM citus_rebalance_status()) AND status = 'cancelled'"))
                .containsExactly("the window has ended");
    }

    @Test
    void baseCostOfTheSessionCounts() throws SQLException {
        statement.execute("SET citus.rebalancer_by_disk_size_base_cost = '100MB'");
        assertThat(values("SELECT cost > 100 * 1024 * 1024 FROM tenantry_rebalance_plan()"))
                .containsExactly("t", "t", "t");
        statement.execute("SET citus.rebalancer_by_disk_size_base_cost = 0");
        assertThat(values("SELECT cost = bytes FROM tenantry_rebalance_plan()"))
                .contains("t")
                .doesNotContain("f");
    }

    @Test
    void functionsOfOthersDoNotRunWithASuperusersRights() throws SQLException {
        onCoordinator("""
                CREATE ROLE mallory;
                GRANT CREATE ON SCHEMA public TO mallory;
                SET ROLE mallory;
                CREATE FUNCTION public.to_jsonb(bigint) RETURNS jsonb LANGUAGE plpgsql AS
                    $$ BEGIN RAISE 'to_jsonb of mallory ran as %', current_user; END $$;
                CREATE FUNCTION public.format(text, bigint) RETURNS text LANGUAGE plpgsql AS
                    $$ BEGIN RAISE 'format of mallory ran as %', current_user; END $$;
                """);
        try {
            assertThat(values("SELECT node FROM tenantry_rebalance_forecast()")).hasSize(3);
            assertThat(values("SELECT schema_name FROM tenantry_rebalance_plan(rebalance_strategy => 'by_load')"))
                    .isEmpty();
        } finally {
            onCoordinator("DROP OWNED BY mallory; DROP ROLE mallory");
        }
    }

    @Test
    void functionsOfAStrategyFindNothingOfTheCaller() throws SQLException {
        onCoordinator("""
                SET tenantry.schema_ddl = on;
                CREATE SCHEMA strategies;
                CREATE FUNCTION strategies.cost(bigint) RETURNS real LANGUAGE plpgsql AS
                    $$ BEGIN RETURN (SELECT w.weight FROM weights w); END $$;
                """);
        try {
            values("SELECT citus_add_rebalance_strategy('weighed', 'strategies.cost',"
                    + " 'tenantry.citus_node_capacity_1', 'tenantry.citus_shard_allowed_on_node_true', 0.5)");
            statement.execute("CREATE TEMP TABLE weights AS SELECT 1::real AS weight");
            String plan = "SELECT schema_name FROM tenantry_rebalance_plan(rebalance_strategy => 'weighed')";
            assertThatThrownBy(() -> values(plan)).hasMessageContaining("relation \"weights\" does not exist");
            onCoordinator("SET tenantry.schema_ddl = on; CREATE ROLE owner_of_strategies;"
                    + " ALTER SCHEMA strategies OWNER TO owner_of_strategies");
            assertThatThrownBy(() -> values(plan))
                    .hasMessageContaining("must be in a schema that belongs to a superuser");
        } finally {
            onCoordinator(
                    "SET tenantry.schema_ddl = on; DELETE FROM tenantry.rebalance_strategy WHERE name = 'weighed';"
                            + " DROP SCHEMA strategies CASCADE; DROP ROLE IF EXISTS owner_of_strategies");
        }
    }

    /** Whoever may make something in a schema of the path could put it in the place of what is meant. */
    @Test
    void whatRunsWithASuperusersRightsLooksForNamesInTheSystemsSchemaOnly() throws SQLException {
        assertThat(values("""
                        SELECT p.oid::regprocedure FROM pg_proc p
                        WHERE p.pronamespace = 'tenantry'::regnamespace AND p.prosqlbody IS NULL
                          AND p.prolang IN (SELECT l.oid FROM pg_language l WHERE l.lanname IN ('sql', 'plpgsql'))
                          AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
                        """)).containsExactly("tenantry.table_bytes()"); // its callers have that path
    }

    private static void onCoordinator(String sql) throws SQLException {
        try (Connection connection = cluster.coordinator().connect();
                Statement direct = connection.createStatement()) {
            direct.execute(sql);
        }
    }

    private List<String> values(String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }
}
