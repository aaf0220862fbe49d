package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.control.rebalance.RebalanceOptions;
import dev.tenantry.control.rebalance.Rebalances;
import dev.tenantry.control.rebalance.plan.Plan;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.rebalance.RebalanceJob;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FirstColumn;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Citus's rebalancer in SQL: plans, jobs, drains, strategies, rules. */
class RebalanceIT {

    private static Cluster cluster;

    private Connection client;
    private Statement statement;

    RebalanceIT() throws SQLException {
        client = cluster.connect();
        statement = client.createStatement();
    }

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void clean() throws SQLException {
        cluster.observeMoves(MovePoint.Observer.NONE);
        client.setAutoCommit(true);
        run("UPDATE tenantry.background_job SET state = 'cancelling' WHERE finished_at IS NULL");
        value("SELECT citus_rebalance_wait()");
        run("DELETE FROM tenantry.node_capacity; DELETE FROM tenantry.placement_group");
        for (PostgresNode worker : cluster.workers()) {
            setShouldHaveShards(worker, true);
        }
        for (String schema : values("SELECT schema_name::text FROM citus_schemas")) {
            statement.execute("DROP SCHEMA " + schema + " CASCADE");
        }
        client.close();
    }

    @Test
    void bringsSchemasToTheEmptyNode() throws SQLException {
        fill(1, 100, 200, 300, 400, 500, 600);
        String job = value("SELECT citus_rebalance_start()");
        assertThat(notices()).containsExactly("Scheduled 2 moves as job " + job);
        assertThatThrownBy(() -> value("SELECT citus_rebalance_start()"))
                .hasMessageContaining("A rebalance is already running as job " + job);
        statement.execute("SELECT citus_rebalance_wait()");
        assertThat(value("SELECT state || ' ' || job_type || ' ' || description || ' ' || details"
                        + " FROM citus_rebalance_status()"))
                .isEqualTo("finished rebalance Rebalance all colocation groups"
                        + " {\"tasks\": [], \"task_state_counts\": {\"done\": 2}}");
        assertThat(values("SELECT schema_name::text FROM citus_schemas WHERE nodeport = "
                        + cluster.worker(2).port()))
                .containsExactlyInAnyOrder("w1_600", "w1_500");
        assertThat(value("SELECT citus_rebalance_start()")).isNull();
        assertThat(notices()).containsExactly("No moves available for rebalancing");
    }

    @Test
    void saysThatThereIsNothingToDo() throws SQLException {
        assertThat(value("SELECT citus_rebalance_start()")).isNull();
        assertThat(notices()).containsExactly("No tables to rebalance");
        assertThatThrownBy(() -> value("SELECT citus_rebalance_stop()"))
                .hasMessageContaining("no ongoing rebalance that can be stopped");
        value("SELECT citus_rebalance_wait()");
        assertThat(notices()).containsExactly("no ongoing rebalance that can be waited on");
        assertThatThrownBy(() -> value("SELECT citus_job_wait(987654321)"))
                .hasMessageContaining("no job found for job with jobid: 987654321");
        assertThatThrownBy(() -> value("SELECT citus_job_cancel(987654321)"))
                .hasMessageContaining("no job found for job with jobid: 987654321");
        assertThatThrownBy(() -> value("SELECT citus_task_wait(987654321)"))
                .hasMessageContaining("no task found with taskid: 987654321");
    }

    @Test
    void isScheduledByTheTransactionThatAsks() throws SQLException {
        fill(1, 100, 101);
        client.setAutoCommit(false);
        String job = value("SELECT citus_rebalance_start()");
        assertThat(job).isNotNull();
        client.rollback();
        client.setAutoCommit(true);
        assertThat(values("SELECT job_id FROM citus_job_list() WHERE job_id = " + job))
                .isEmpty();
    }

    @Test
    void showsWhatWouldBeMovedAndWhatNodesWouldHold() throws SQLException {
        fill(1, 500, 100, 400);
        statement.execute("SELECT * FROM citus_shards");
        String ports = " " + cluster.worker(1).port() + " " + cluster.worker(2).port();
        assertThat(values("SELECT table_name || ' ' || sourceport || ' ' || targetport || ' ' || (shard_size > 400000)"
                        + " FROM get_rebalance_table_shards_plan()"))
                .containsExactly("w1_500.t" + ports + " true");
        assertThat(values("SELECT schema_name || ' ' || source || ' ' || target FROM tenantry_rebalance_plan()"))
                .containsExactly("w1_500 worker1 worker2");
        assertThat(values("SELECT concat_ws(' ', node, capacity, schemas_before, schemas_after,"
                        + " bytes_before > bytes_after, cost_before > cost_after) FROM tenantry_rebalance_forecast()"))
                .containsExactly("coordinator 0 0 0 f f", "worker1 1 3 2 t t", "worker2 1 0 1 f f");
        assertThat(values("SELECT table_name"
                        + " FROM get_rebalance_table_shards_plan(rebalance_strategy => 'by_shard_count')"))
                .hasSize(1);
        assertThatThrownBy(() -> values("SELECT * FROM get_rebalance_table_shards_plan(rebalance_strategy => 'none')"))
                .hasMessageContaining("could not find rebalance strategy with name none");
        values("SELECT table_name FROM get_rebalance_table_shards_plan(threshold => 0.001)");
        assertThat(notices())
                .contains("the given threshold is lower than the minimum threshold allowed by the rebalance strategy,"
                        + " using the minimum allowed threshold instead");
    }

    @Test
    void stopsAndUndoesWhatRuns() throws Exception {
        fill(1, 100, 101, 102, 103);
        CountDownLatch reached = new CountDownLatch(2); // both moves
        CountDownLatch stopped = new CountDownLatch(1);
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED) {
                reached.countDown();
                stopped.await();
            }
        });
        value("SELECT citus_rebalance_start()");
        reached.await();
        assertThat(value("SELECT details -> 'tasks' -> 0 ->> 'phase' FROM citus_rebalance_status()"))
                .isEqualTo("Copying Data");
        assertThat(values("SELECT DISTINCT operation_type || ' ' || progress || ' ' || (source_lsn IS NOT NULL)"
                        + " FROM get_rebalance_progress()"))
                .containsExactly("move 1 true");
        value("SELECT citus_rebalance_stop()");
        stopped.countDown();
        value("SELECT citus_rebalance_wait()");
        assertThat(value("SELECT state || ' ' || (details ->> 'task_state_counts') FROM citus_rebalance_status()"))
                .isEqualTo("cancelled {\"cancelled\": 2}");
        assertThat(values("SELECT DISTINCT nodeport FROM citus_schemas"))
                .containsExactly(Integer.toString(cluster.worker(1).port()));
    }

    @Test
    void plansTheRestAnewWhenANodeIsToHoldNothing() throws Exception {
        fill(1, 100, 101, 102, 103);
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED) {
                reached.countDown();
                closed.await();
            }
        });
        PostgresNode target = cluster.worker(2);
        value("SELECT citus_rebalance_start()");
        reached.await();
        assertThatThrownBy(() -> value("SELECT citus_remove_node(" + arguments(2) + ")"))
                .hasMessageContaining("because schema \"w1_10");
        setShouldHaveShards(target, false);
        closed.countDown();
        value("SELECT citus_rebalance_wait()");
        assertThat(values("SELECT DISTINCT status || ': ' || message FROM pg_dist_background_task"
                        + " WHERE job_id = (SELECT job_id FROM citus_rebalance_status()) AND status <> 'done'"))
                .isNotEmpty()
                .allMatch(text -> text.startsWith("cancelled: ") && text.endsWith("nodes have changed"));
        setShouldHaveShards(target, true);
        cluster.observeMoves(MovePoint.Observer.NONE);
        value("SELECT citus_rebalance_start()");
        value("SELECT citus_rebalance_wait()");
        assertThat(values("SELECT nodeport FROM citus_schemas WHERE nodeport = " + target.port()))
                .hasSize(2);
    }

    /** The proxy has not heard of it yet when it picks the node. */
    @Test
    void putsNoNewSchemaOnANodeThatIsToHoldNothing() throws Exception {
        try (Connection coordinator = cluster.coordinator().connect();
                Statement closing = coordinator.createStatement();
                RawClient creating = cluster.login()) {
            coordinator.setAutoCommit(false);
            closing.execute("SELECT tenantry.citus_set_node_property(" + arguments(1) + ", 'shouldhaveshards', false)");
            creating.query("CREATE SCHEMA late").flushOut();
            awaitWait("_schema");
            coordinator.commit();
            assertThat(Message.types(creating.readUntilReady())).isEqualTo("CZ");
        }
        assertThat(values("SELECT schema_name::text || nodeport FROM citus_schemas"))
                .containsExactly("late" + cluster.worker(2).port());
    }

    @Test
    void waitsForASchemaThatIsBeingCreatedOnTheNode() {
        try (RawClient creating = cluster.login();
                RawClient removing = cluster.login();
                RawClient draining = cluster.login()) {
            creating.succeed("BEGIN");
            creating.succeed("CREATE SCHEMA early CREATE TABLE t (x int)");
            removing.query("SELECT citus_remove_node(" + arguments(1) + ")").flushOut();
            awaitWait("citus_remove_node");
            draining.query("SELECT citus_drain_node(" + arguments(1) + ")").flushOut();
            awaitWait("citus_set_node_property");
            creating.succeed("COMMIT");
            assertThat(Message.only(removing.readUntilReady(), 'E').text()).contains("because it holds schema");
            assertThat(Message.types(draining.readUntilReady())).endsWith("DCZ");
            assertThat(creating.value("SELECT nodeport FROM citus_schemas"))
                    .isEqualTo(Integer.toString(cluster.worker(2).port()));
        }
    }

    private static void awaitWait(String text) {
        String waits =
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%" + text + "%'";
        Eventually.holds(
                "it waits for a lock", () -> !cluster.coordinator().list(waits).isEmpty());
    }

    @Test
    void waitsForItsOwnRebalanceAndTellsOfEachMove() throws SQLException {
        fill(1, 200, 210, 220, 300);
        String shard = value("SELECT shardid FROM citus_shards WHERE table_name = 'w1_300.t'");
        value("SELECT rebalance_table_shards(max_shard_moves => 1)");
        assertThat(notices())
                .containsExactlyInAnyOrder(
                        "Stopped searching before we were out of moves. Please rerun the rebalancer after it's finished"
                                + " for a more optimal placement.",
                        "Moving shard " + shard + " from " + address(1) + " to " + address(2) + " ...");
        assertThat(values("SELECT schema_name FROM citus_schemas WHERE nodeport = "
                        + cluster.worker(2).port()))
                .containsExactly("w1_300");
        statement.execute(
                "SELECT citus_move_shard_placement(" + shard + ", " + arguments(2) + ", " + arguments(1) + ")");
        assertThat(values("SELECT schema_name FROM citus_schemas WHERE nodeport = "
                        + cluster.worker(2).port()))
                .isEmpty();
        value("SELECT citus_move_shard_placement(" + shard + ", " + arguments(2) + ", " + arguments(1) + ")");
        assertThat(notices()).containsExactly("shard is already present on node " + address(1));
        assertThatThrownBy(() -> value("SELECT citus_move_shard_placement(1, 2, 3)"))
                .hasMessageContaining("could not find valid entry for shard 1");
    }

    @Test
    void drainKeepsWhatIsPinnedAndSaysSo() throws SQLException {
        fill(2, 50, 60);
        value("SELECT tenantry_pin_schema('w2_50')");
        String shard = value("SELECT shardid FROM citus_shards WHERE table_name = 'w2_50.t'");
        try {
            value("SELECT citus_drain_node(" + arguments(2) + ")");
            assertThat(notices())
                    .contains("Not allowed to move shard " + shard + " anywhere from " + address(2))
                    .hasSize(2);
            assertThat(values("SELECT schema_name FROM citus_schemas WHERE nodeport = "
                            + cluster.worker(2).port()))
                    .containsExactly("w2_50");
            assertThat(values("SELECT kind || ' ' || schema_name FROM tenantry_placement_rules"))
                    .containsExactly("pinned w2_50");
            assertThat(value("SELECT tenantry_unpin_schema('w2_50')")).isEqualTo("t");
            value("SELECT citus_rebalance_start(drain_only => true)");
            value("SELECT citus_rebalance_wait()");
            statement.execute("RESET tenantry.node");
            statement.execute("CREATE SCHEMA emptied");
            assertThat(values("SELECT schema_name FROM citus_schemas WHERE nodeport = "
                            + cluster.worker(2).port()))
                    .isEmpty();
        } finally {
            setShouldHaveShards(cluster.worker(2), true);
        }
    }

    @Test
    void drainOfANodeThatDoesNotAnswerSaysSo() throws SQLException {
        run("INSERT INTO tenantry.node (groupid, nodename, nodeport, name) VALUES (99, '127.0.0.1', 1, 'gone')");
        try {
            assertThatThrownBy(() -> value("SELECT citus_drain_node('127.0.0.1', 1)"))
                    .hasMessageContaining("could not connect to 127.0.0.1:1");
            assertThatThrownBy(() -> value("SELECT citus_drain_node('127.0.0.1', 2)"))
                    .hasMessageContaining("does not exist");
            fill(1, 100, 101);
            assertThat(values("SELECT schema_name || ' ' || target FROM tenantry_rebalance_plan()"))
                    .containsExactly("w1_100 worker2");
            assertThat(notices()).anyMatch(text -> text.contains("node \"gone\""));
        } finally {
            run("DELETE FROM tenantry.node WHERE groupid = 99");
        }
    }

    @Test
    void keepsSchemasTogetherAndApart() throws SQLException {
        fill(1, 10, 20, 30);
        fill(2, 40);
        value("SELECT tenantry_keep_together('friends', 'w1_10', 'w2_40')");
        value("SELECT tenantry_keep_apart('foes', 'w1_20', 'w1_30')");
        assertThat(values("SELECT schema_name || ' ' || target FROM tenantry_rebalance_plan(threshold => 5)"))
                .containsExactlyInAnyOrder("w1_10 worker2", "w1_20 worker2");
        assertThatThrownBy(() -> value("SELECT tenantry_keep_apart('friends', 'w1_20')"))
                .hasMessageContaining("rule \"friends\" keeps its schemas together");
        assertThat(value("SELECT tenantry_forget_rule('friends') AND tenantry_forget_rule('foes')"))
                .isEqualTo("t");
        assertThat(values("SELECT schema_name FROM tenantry_rebalance_plan(threshold => 5)"))
                .isEmpty();
    }

    @Test
    void goesByCapacityAndByStrategiesOfItsOwn() throws SQLException {
        fill(1, 100, 101, 102, 103);
        value("SELECT tenantry_set_node_capacity(" + arguments(2) + ", 3)");
        assertThat(values("SELECT schema_name FROM tenantry_rebalance_plan()")).hasSize(3);
        value("SELECT tenantry_set_node_capacity(" + arguments(2) + ", 1)");
        run("CREATE FUNCTION public.cost(bigint) RETURNS real LANGUAGE sql AS"
                + " $$ SELECT CASE WHEN table_name LIKE 'w1\\_100.%' THEN 10 ELSE 1 END::real"
                + " FROM tenantry.citus_shards WHERE shardid = $1 $$;"
                + " CREATE FUNCTION public.capacity(int) RETURNS real LANGUAGE sql AS 'SELECT 1.0::real';"
                + " CREATE FUNCTION public.allowed(bigint, int) RETURNS boolean LANGUAGE sql AS"
                + " $$ SELECT nodename IS NOT NULL FROM tenantry.pg_dist_node WHERE nodeid = $2 $$");
        value("SELECT citus_add_rebalance_strategy('own', 'public.cost', 'public.capacity', 'public.allowed', 0.5)");
        assertThat(values("SELECT concat_ws(' ', schema_name, cost)"
                        + " FROM tenantry_rebalance_plan(rebalance_strategy => 'own')"))
                .containsExactly("w1_100 10");
        value("SELECT citus_set_default_rebalance_strategy('own')");
        assertThat(value("SELECT name FROM pg_dist_rebalance_strategy WHERE default_strategy"))
                .isEqualTo("own");
        value("SELECT citus_set_default_rebalance_strategy('by_disk_size')");
        assertThatThrownBy(() -> value("SELECT citus_set_default_rebalance_strategy('none')"))
                .hasMessageContaining("strategy with specified name does not exist");
        assertThatThrownBy(() -> value("SELECT citus_add_rebalance_strategy('bad', 'public.capacity',"
                        + " 'public.capacity', 'public.allowed', 0.5)"))
                .hasMessageContaining("signature for shard_cost_function is incorrect")
                .hasMessageContaining("argument type of capacity should be bigint");
        assertThatThrownBy(() -> value("SELECT citus_add_rebalance_strategy('bad', 'public.cost',"
                        + " 'public.capacity', 'public.allowed', 0.5, 0.6)"))
                .hasMessageContaining("default_threshold cannot be smaller than minimum_threshold");
        run("CREATE ROLE planner; GRANT CREATE ON SCHEMA public TO planner;"
                + " ALTER FUNCTION public.cost OWNER TO planner");
        assertThatThrownBy(() -> values("SELECT * FROM tenantry_rebalance_plan(rebalance_strategy => 'own')"))
                .hasMessageContaining("must belong to a superuser");
    }

    @Test
    void goesByLoad() throws SQLException {
        fill(1, 100, 101, 300);
        Eventually.passes(() -> {
            statement.execute("SELECT count(*) FROM w1_100.t");
            statement.execute("SELECT count(*) FROM w1_101.t");
            run("SELECT tenantry.measure_load()");
            assertThat(values("SELECT schema_name FROM tenantry_load WHERE blocks_per_second > 1"))
                    .contains("w1_100", "w1_101");
        });
        run("UPDATE tenantry.schema_load SET load = CASE WHEN schemaid = 'w1_300'::regnamespace THEN 0 ELSE 100 END");
        assertThat(values("SELECT schema_name || ' ' || cost"
                        + " FROM tenantry_rebalance_plan(rebalance_strategy => 'by_load')"))
                .containsExactly("w1_100 100");
        String shard = value("SELECT shardid FROM citus_shards WHERE table_name = 'w1_101.t'");
        assertThat(value("SELECT tenantry_shard_cost_by_load(" + shard + ")")).isEqualTo("100");
        assertThat(value("SELECT citus_shard_cost_by_disk_size(" + shard + ") > 100000"))
                .isEqualTo("t");
    }

    @Test
    void programsAskForTheSame() throws SQLException {
        fill(1, 100, 101, 102, 103);
        Vertx vertx = Vertx.vertx();
        try {
            Rebalances rebalances = new Rebalances(
                    vertx, CoordinatorAddress.parse(cluster.coordinator().url()));
            Plan plan = rebalances.plan(RebalanceOptions.DEFAULT);
            assertThat(plan.moves()).hasSize(2);
            long job = rebalances.start(RebalanceOptions.DEFAULT).orElseThrow();
            value("SELECT citus_job_wait(" + job + ")");
            RebalanceJob ended = rebalances.status(job).orElseThrow();
            assertThat(ended.state()).isEqualTo("finished");
            assertThat(ended.isEnded()).isTrue();
            assertThat(ended.tasks())
                    .extracting(task -> task.schema() + " " + task.source() + " " + task.target() + " " + task.status())
                    .containsExactlyElementsOf(plan.moves().stream()
                            .map(move -> move.schema().name() + " worker1 worker2 done")
                            .toList());
            assertThat(rebalances.list(1)).extracting(RebalanceJob::id).containsExactly(job);
            assertThat(rebalances.stop(job)).isFalse();
            assertThat(rebalances.status(job + 1000)).isEmpty();
            assertThat(rebalances.start(RebalanceOptions.DEFAULT)).isEmpty();
            RebalanceOptions unknown = new RebalanceOptions(
                    Optional.of("none"),
                    OptionalDouble.of(0.2),
                    OptionalDouble.of(0.1),
                    true,
                    RebalanceOptions.TransferMode.BLOCK_WRITES);
            assertThatThrownBy(() -> rebalances.plan(unknown))
                    .isInstanceOf(StatementRefusedException.class)
                    .hasMessageContaining("could not find rebalance strategy with name none");
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void isForOwnersOfAllSchemas() throws SQLException {
        fill(1, 10, 20);
        statement.execute("CREATE ROLE tenant_of_one LOGIN PASSWORD 'secret'");
        statement.execute("ALTER SCHEMA w1_10 OWNER TO tenant_of_one");
        statement.execute("SET ROLE tenant_of_one");
        assertThatThrownBy(() -> value("SELECT citus_rebalance_start()"))
                .hasMessageContaining("must be owner of schema w1_20");
        assertThatThrownBy(() -> value("SELECT citus_drain_node(" + arguments(1) + ")"))
                .hasMessageContaining("permission denied");
        assertThatThrownBy(() -> value("SELECT tenantry_pin_schema('w1_10')"))
                .hasMessageContaining("permission denied");
        statement.execute("RESET ROLE");
        statement.execute("ALTER SCHEMA w1_20 OWNER TO tenant_of_one");
        statement.execute("SET ROLE tenant_of_one");
        assertThat(value("SELECT citus_rebalance_start()")).isNotNull();
        value("SELECT citus_rebalance_wait()");
        assertThat(value("SELECT owner::text || ' ' || status "
                        + " FROM pg_dist_background_task ORDER BY task_id DESC LIMIT 1"))
                .isEqualTo("tenant_of_one done");
        statement.execute("RESET ROLE");
    }

    /** Runs on the coordinator alone, whose functions need not be everywhere. */
    private static void run(String sql) throws SQLException {
        try (Connection connection = cluster.coordinator().connect();
                Statement direct = connection.createStatement()) {
            direct.execute(sql);
        }
    }

    private static void setShouldHaveShards(PostgresNode node, boolean value) throws SQLException {
        try (Connection other = cluster.connect();
                Statement setting = other.createStatement()) {
            setting.execute("SELECT citus_set_node_property('" + node.host() + "', " + node.port()
                    + ", 'shouldhaveshards', " + value + ")");
        }
    }

    private static String address(int worker) {
        return cluster.worker(worker).host() + ":" + cluster.worker(worker).port();
    }

    private static String arguments(int worker) {
        return "'" + cluster.worker(worker).host() + "', "
                + cluster.worker(worker).port();
    }

    private void fill(int worker, int... kilobytes) throws SQLException {
        statement.execute("SET tenantry.node = 'worker" + worker + "'");
        for (int size : kilobytes) {
            String schema = "w" + worker + "_" + size;
            statement.execute("CREATE SCHEMA " + schema);
            statement.execute("CREATE TABLE " + schema + ".t (id int PRIMARY KEY, filler text)");
            statement.execute("ALTER TABLE " + schema + ".t ALTER filler SET STORAGE PLAIN");
            statement.execute(
                    "INSERT INTO " + schema + ".t SELECT i, repeat('x', 900) FROM generate_series(1, " + size + ") i");
        }
    }

    private List<String> notices() throws SQLException {
        List<String> texts = new ArrayList<>();
        for (SQLWarning next = statement.getWarnings(); next != null; next = next.getNextWarning()) {
            texts.add(String.valueOf(next.getMessage()));
        }
        return texts;
    }

    private @Nullable String value(String sql) throws SQLException {
        return values(sql).getFirst();
    }

    private List<String> values(String sql) throws SQLException {
        statement.clearWarnings();
        return FirstColumn.of(statement, sql);
    }
}
