package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Citus's rebalancer in SQL: plans, jobs, drains, strategies, rules. */
class RebalanceIT {

    private static @Nullable Cluster started;

    private Connection client;
    private Statement statement;

    RebalanceIT() throws SQLException {
        client = cluster().connect();
        statement = client.createStatement();
    }

    @BeforeAll
    static void start() {
        started = Cluster.start(2);
    }

    @AfterAll
    static void stop() {
        if (started != null) {
            started.close();
        }
    }

    @AfterEach
    void clean() throws SQLException {
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
                        + cluster().worker(2).port()))
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
        String ports =
                " " + cluster().worker(1).port() + " " + cluster().worker(2).port();
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
        List<String> values = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    private static Cluster cluster() {
        Cluster cluster = started;
        if (cluster == null) {
            throw new IllegalStateException("not started");
        }
        return cluster;
    }
}
