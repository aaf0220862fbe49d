package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;

/** A worker whose processes stand still takes connections and answers none: whoever can do without it does. */
class HungNodeFaultIT {
    private final Cluster cluster = Cluster.start(2);
    private List<ProcessHandle> stopped = List.of();

    @AfterEach
    void goOn() throws Exception {
        signal("CONT");
        cluster.close();
    }

    @Test
    void isDoneWithoutUntilItGoesOn() throws Exception {
        run("SET tenantry.node = 'worker1'; CREATE SCHEMA on_one; CREATE TABLE on_one.t (x int)");
        run("SET tenantry.node = 'worker2'; CREATE SCHEMA on_two; CREATE TABLE on_two.t AS SELECT 1 AS x");
        assertThat(sizes()).containsExactly("on_one known", "on_two known");
        stop(cluster.worker(1));
        Eventually.holds("it is noticed", () -> hanging().equals(List.of("worker1")));
        assertThat(sizes()).containsExactly("on_one unknown", "on_two known", "node \"worker1\" does not answer");
        run("CREATE SCHEMA next");
        assertThat(cluster.list("SELECT nodeport FROM citus_schemas WHERE schema_name::text = 'next'"))
                .containsExactly(Integer.toString(cluster.worker(2).port()));
        assertThat(cluster.list("SELECT x FROM on_two.t")).containsExactly("1");
        signal("CONT");
        Eventually.holds("it is noticed", () -> hanging().isEmpty());
        assertThat(sizes()).containsExactly("next known", "on_one known", "on_two known");
    }

    /** There is a connection to it that waits for the next session, which asks for another setting than the last. */
    @Test
    void sessionsBeginElsewhereWhileTheCoordinatorHangs() throws Exception {
        run("SET tenantry.node = 'worker1'; CREATE SCHEMA on_one; CREATE TABLE on_one.t AS SELECT 1 AS x");
        stop(cluster.coordinator());
        try (Connection client =
                        DriverManager.getConnection(cluster.jdbcUrl() + "&loginTimeout=60&ApplicationName=another");
                Statement statement = client.createStatement();
                ResultSet rows = statement.executeQuery("SELECT x FROM on_one.t")) {
            assertThat(rows.next()).isTrue();
        }
    }

    /** Also where a session has a connection to it already, which it used when the node was well. */
    @Test
    void failsWhatConcernsEveryNode() throws Exception {
        run("SET tenantry.node = 'worker1'; CREATE SCHEMA on_one; CREATE TABLE on_one.t AS SELECT 1 AS x");
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SELECT x FROM on_one.t");
            stop(cluster.worker(1));
            PSQLException failed =
                    catchThrowableOfType(PSQLException.class, () -> statement.execute("CREATE ROLE nowhere"));
            assertThat(failed.getSQLState()).isEqualTo("08006");
            assertThat(failed.getMessage()).contains("node \"worker1\" does not answer");
            statement.execute("CREATE SCHEMA next");
        }
        signal("CONT");
        for (PostgresNode node : cluster.nodes()) {
            assertThat(node.list("SELECT 1 FROM pg_roles WHERE rolname = 'nowhere'"))
                    .isEmpty();
        }
    }

    private void run(String sql) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<String> hanging() throws SQLException {
        return cluster.coordinator()
                .list("SELECT n.name FROM tenantry.silent_node s JOIN tenantry.node n USING (nodeid)");
    }

    /** Each schema and whether its size is known, and what the client is warned of. */
    private List<String> sizes() throws SQLException {
        List<String> found = new ArrayList<>();
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement();
                ResultSet rows = statement.executeQuery("SELECT schema_name || CASE WHEN schema_size IS NULL"
                        + " THEN ' unknown' ELSE ' known' END FROM citus_schemas ORDER BY 1")) {
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            if (statement.getWarnings() != null) {
                found.add(String.valueOf(statement.getWarnings().getMessage()).replaceAll(" \\(.*?\\)|(?s)\n.*", ""));
            }
        }
        return found;
    }

    private void stop(PostgresNode node) throws Exception {
        long postmaster = Long.parseLong(node.list("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")
                .getFirst());
        ProcessHandle server = ProcessHandle.of(postmaster).orElseThrow();
        stopped = Stream.concat(Stream.of(server), server.children()).toList();
        signal("STOP");
    }

    private void signal(String name) throws IOException, InterruptedException {
        for (ProcessHandle process : stopped) {
            if (process.isAlive()) {
                assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                                .start()
                                .waitFor())
                        .isZero();
            }
        }
    }
}
