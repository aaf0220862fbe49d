package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.rebalance.RebalanceStore;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FirstColumn;
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

    /** Errors of servers tell of rows of tenants. */
    @Test
    void whyMovesFailedIsSeenByOwnersAndMonitorsOnly() throws SQLException {
        onCoordinator("""
                WITH job AS (
                    INSERT INTO tenantry.background_job (state, job_type, description, owner, options, nodes_planned,
                                                         retries_max, finished_at)
                    VALUES ('failed', 'rebalance', '', current_user::regrole, '{}', '', 5, now()) RETURNING job_id
                ), failed AS (
                    INSERT INTO tenantry.move (schemaid, schema_name, source_nodeid, target_nodeid, transfer_mode,
                                               requested_by, phase, sqlstate, message, detail, finished_at)
                    VALUES ('t200'::regnamespace, 't200', 2, 3, 'auto', current_user, 'failed', '53100', 'disk full',
                            'disk full', clock_timestamp())
                    RETURNING *
                )
                INSERT INTO tenantry.background_task (job_id, status, command, schemaid, source_nodeid, target_nodeid,
                                                      transfer_mode, moveid, message, sqlstate)
                SELECT job_id, 'error', '', schemaid, 2, 3, 'auto', moveid, message, sqlstate FROM job, failed
                """);
        String seen = "SELECT concat_ws(', ', t.message, m.error, m.error_detail, details #>> '{tasks,0,message}')"
                + " FROM citus_rebalance_status() JOIN pg_dist_background_task t USING (job_id), tenantry_moves m"
                + " ORDER BY m.moveid DESC LIMIT 1";
        String all = "disk full, disk full, disk full, disk full";
        statement.execute("CREATE ROLE viewer");
        try {
            statement.execute("SET ROLE viewer");
            assertThat(values(seen)).containsExactly("");
            statement.execute("RESET ROLE");
            assertThat(values(seen)).containsExactly(all);
            statement.execute("GRANT pg_monitor TO viewer");
            statement.execute("SET ROLE viewer");
            assertThat(values(seen)).containsExactly(all);
            statement.execute("RESET ROLE");
            statement.execute("REVOKE pg_monitor FROM viewer");
            statement.execute("ALTER SCHEMA t200 OWNER TO viewer");
            statement.execute("SET ROLE viewer");
            assertThat(values(seen)).containsExactly(all);
        } finally {
            statement.execute("RESET ROLE");
            statement.execute("ALTER SCHEMA t200 OWNER TO CURRENT_USER");
            statement.execute("DROP ROLE viewer");
        }
    }

    @Test
    void whoIsAllowedMayDecideHowPlansAreMade() throws SQLException {
        statement.execute("CREATE ROLE operator");
        onCoordinator("GRANT EXECUTE ON FUNCTION tenantry.tenantry_pin_schema(regnamespace),"
                + " tenantry.tenantry_keep_apart(text, regnamespace[]), tenantry.tenantry_forget_rule(text),"
                + " tenantry.citus_set_node_property(text, integer, text, boolean),"
                + " tenantry.citus_set_default_rebalance_strategy(text) TO operator");
        try {
            statement.execute("SET ROLE operator");
            values("SELECT tenantry_pin_schema('t100')");
            values("SELECT tenantry_keep_apart('apart', 't100', 't101')");
            values("SELECT citus_set_default_rebalance_strategy('by_disk_size')");
            assertThat(values("SELECT kind FROM tenantry_placement_rules")).containsExactly("apart", "apart", "pinned");
            assertThat(values("SELECT tenantry_forget_rule('apart')")).containsExactly("t");
            assertThatThrownBy(() -> values("SELECT tenantry_unpin_schema('t100')"))
                    .hasMessageContaining("permission denied");
            assertThatThrownBy(() -> values("SELECT citus_set_node_property('"
                            + cluster.worker(1).host() + "', "
                            + cluster.worker(1).port() + ", 'shouldhaveshards', NULL)"))
                    .hasMessageContaining("value cannot be NULL");
        } finally {
            statement.execute("RESET ROLE");
            onCoordinator("DROP OWNED BY operator");
            statement.execute("DROP ROLE operator");
        }
    }

    @Test
    void oddArgumentsAndSettingsAreNoRiddles() throws SQLException {
        assertThatThrownBy(() -> values("SELECT citus_job_wait(NULL)")).hasMessageContaining("jobid cannot be NULL");
        assertThatThrownBy(() -> values("SELECT citus_task_wait(NULL)")).hasMessageContaining("taskid cannot be NULL");
        assertThatThrownBy(() -> values("SELECT citus_drain_node('nowhere', NULL)"))
                .hasMessageContaining("node at \"nowhere:<NULL>\" does not exist");
        List<String> sizes = values("SELECT schema_size FROM citus_schemas");
        statement.execute("SET standard_conforming_strings = off");
        assertThat(values("SELECT schema_size FROM citus_schemas")).isEqualTo(sizes);
        statement.execute("RESET standard_conforming_strings");
    }

    @Test
    void tasksKnowASchemaThatIsMadeAnewOnTheCoordinator() throws SQLException {
        try (Connection connection = cluster.coordinator().connect();
                Statement direct = connection.createStatement()) {
            connection.setAutoCommit(false);
            direct.execute("SET LOCAL tenantry.schema_ddl = on");
            direct.execute("""
                    WITH job AS (
                        INSERT INTO tenantry.background_job (
                            state, job_type, description, owner, options, nodes_planned, retries_max)
                        VALUES ('scheduled', 'rebalance', '', current_user::regrole, '{}', '', 5) RETURNING job_id)
                    INSERT INTO tenantry.background_task (
                        job_id, command, schemaid, source_nodeid, target_nodeid, transfer_mode)
                    SELECT job_id, 'SELECT', 't100'::regnamespace, 1, 2, 'auto' FROM job
                    """);
            direct.execute("SELECT tenantry.replace_namespace('t100'::regnamespace, 'aside')");
            String known = "SELECT schemaid::regnamespace FROM tenantry.background_task WHERE command = 'SELECT'";
            assertThat(FirstColumn.of(direct, known)).containsExactly("t100");
            connection.rollback();
        }
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
            onCoordinator("CREATE OR REPLACE FUNCTION strategies.cost(bigint) RETURNS real LANGUAGE sql AS"
                    + " $$ SELECT 'NaN'::real WHERE current_setting('statement_timeout') = '30s' $$");
            assertThatThrownBy(() -> values(plan)).hasMessageContaining(" is NaN");
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

    @Test
    void noQuestionKeepsOthersFromTheirPlans() throws SQLException {
        onCoordinator("INSERT INTO tenantry.rebalance_question (input) VALUES ('{}')");
        for (String number : List.of("NaN", "Infinity")) {
            for (String option : List.of("threshold", "improvement_threshold")) {
                assertThatThrownBy(() -> values(
                                "SELECT schema_name FROM tenantry_rebalance_plan(" + option + " => '" + number + "')"))
                        .hasMessageContaining("have to be finite numbers");
            }
            assertThatThrownBy(() -> values("SELECT citus_add_rebalance_strategy('no_number',"
                            + " 'tenantry.citus_shard_cost_1', 'tenantry.citus_node_capacity_1',"
                            + " 'tenantry.citus_shard_allowed_on_node_true', '" + number + "')"))
                    .hasMessageContaining("have to be finite numbers");
        }
        assertThat(values("SELECT schema_name FROM tenantry_rebalance_plan()")).isNotEmpty();
        onCoordinator("DELETE FROM tenantry.rebalance_question");
    }

    @Test
    void aRebalanceThatHasFailedInPartEndsAlsoWhenItCannotBePlannedAnew() throws SQLException {
        onCoordinator("""
                INSERT INTO tenantry.background_job (
                    state, job_type, description, owner, options, nodes_planned, retries_max)
                VALUES ('failing', 'rebalance', 'made up', current_user::regrole, '{"strategy": "gone"}', 'others', 5)
                """);
        values("SELECT citus_rebalance_wait()");
        assertThat(values("SELECT state FROM citus_rebalance_status()")).containsExactly("failed");
    }

    @Test
    void onlyTheControlPlaneCanTakeItsLocks() throws SQLException {
        onCoordinator("CREATE ROLE mallory LOGIN PASSWORD 'mallory'");
        try (Connection first = cluster.coordinator().connect();
                Connection second = cluster.coordinator().connect();
                Statement other = second.createStatement()) {
            try (Statement one = first.createStatement()) {
                assertThat(FirstColumn.of(one, "SELECT tenantry.lead('proof')")).containsExactly("t");
                assertThat(FirstColumn.of(other, "SELECT tenantry.lead('proof')"))
                        .containsExactly("f");
                assertThat(FirstColumn.of(one, "SELECT tenantry.lead('proof')")).containsExactly("t");
                one.execute("SET ROLE mallory");
                for (String taking : List.of(
                        "DO 'BEGIN LOCK TABLE tenantry.leader IN SHARE MODE; END'",
                        "DO 'BEGIN LOCK TABLE tenantry.node IN SHARE MODE; END'",
                        "SELECT tenantry.lead('rebalances')",
                        "SELECT tenantry.lock_nodes()")) {
                    assertThatThrownBy(() -> one.execute(taking)).hasMessageContaining("permission denied");
                }
                one.execute("SELECT pg_advisory_lock(hashtext('tenantry.node')),"
                        + " pg_advisory_lock(hashtext('tenantry.rebalance')), pg_advisory_lock(1413828174)");
                other.execute("SET statement_timeout = '20s'");
                other.execute(
                        "SELECT tenantry.citus_set_node_property(n.nodename, n.nodeport, 'shouldhaveshards', true)"
                                + " FROM tenantry.node n WHERE n.name = 'worker2'");
                assertThat(values("SELECT citus_rebalance_start()")).isNotEmpty();
                values("SELECT citus_rebalance_wait()");
            }
            other.execute("SELECT pg_terminate_backend(l.pid, 5000) FROM tenantry.leader l WHERE l.work = 'proof'");
            Eventually.passes(() -> assertThat(FirstColumn.of(other, "SELECT tenantry.lead('proof')"))
                    .containsExactly("t"));
        } finally {
            onCoordinator("DROP ROLE mallory; DELETE FROM tenantry.leader WHERE work = 'proof'");
        }
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
