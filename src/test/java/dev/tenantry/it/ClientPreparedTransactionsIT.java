package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two-phase commit in the hands of clients: theirs works on one node, and they keep their hands off the proxies'. */
class ClientPreparedTransactionsIT extends SeveralNodes {

    /** What another cluster might have prepared, so that no recovery looks after it. */
    private static final String OURS = "tenantry_abc_p1_7_2_981";

    @BeforeEach
    void goToTheFirstWorker() {
        client.run("SET search_path = several_1");
    }

    /** What is prepared keeps its locks. */
    @AfterEach
    void rollBackWhatIsLeft() throws SQLException {
        for (PostgresNode node : cluster.nodes()) {
            for (String gid : prepared(node)) {
                execute(node, "ROLLBACK PREPARED '" + gid + "'");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "COMMIT PREPARED 'tenantry_abc_p1_7_2_981'",
                "ROLLBACK PREPARED 'tenantry_abc_p1_7_2_981'",
                "commit prepared E'tenantry\\x5fabc_p1_7_2_981' -- mine?",
                "/* mine */ ROLLBACK PREPARED $$tenantry_abc_p1_7_2_981$$;"
            })
    void refusesToFinishWhatACommitHasPrepared(String sql) throws SQLException {
        execute(cluster.worker(1), "BEGIN", "INSERT INTO several_1.t VALUES (1)", "PREPARE TRANSACTION '" + OURS + "'");
        assertRefused(client.run(sql), "EZ");
        assertRefused(client.run("INSERT INTO t VALUES (2); " + sql), "CEZ");
        assertRefused(client.run("CREATE ROLE several_role; " + sql), "CEZ");
        assertRefused(client.parse("", sql).bind("", "").execute("", 0).sync().readUntilReady(), "12EZ");
        assertThat(prepared(cluster.worker(1))).containsExactly(OURS);
        assertThat(rows(1)).isEqualTo("0");
        assertThat(client.value("SELECT count(*) FROM pg_roles WHERE rolname = 'several_role'"))
                .isEqualTo("0");
    }

    private static void assertRefused(List<Message> answer, String types) {
        assertThat(Message.types(answer)).isEqualTo(types);
        Message error = Message.only(answer, 'E');
        assertThat(error.sqlState()).isEqualTo("42501");
        assertThat(error.errorMessage()).isEqualTo("permission denied to finish prepared transaction \"" + OURS + "\"");
        assertThat(error.fields().get('D')).contains("commit over several nodes");
        assertThat(error.fields().get('H')).contains("recovery");
        assertThat(answer.getLast().text()).isEqualTo("I");
    }

    @Test
    void refusesToPrepareUnderTheNameOfACommit() throws SQLException {
        String sql = "PREPARE TRANSACTION '" + OURS + "'";
        for (boolean simple : new boolean[] {true, false}) {
            client.run("BEGIN");
            client.run("INSERT INTO t VALUES (1)");
            List<Message> answer = (simple ? client.query(sql) : extended(sql)).readUntilReady();
            Message error = Message.only(answer, 'E');
            assertThat(error.sqlState()).isEqualTo("42939");
            assertThat(error.errorMessage()).contains(OURS).endsWith("is reserved");
            assertThat(error.fields()).containsKeys('D', 'H');
            assertThat(answer.getLast().text()).isEqualTo("E");
            assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        }
        assertThat(outcome("BEGIN; INSERT INTO t VALUES (1); " + sql)).isEqualTo("BEGIN, INSERT 0 1, 42939 E");
        client.run("ROLLBACK");
        assertThat(prepared(cluster.worker(1))).isEmpty();
        assertThat(rows(1)).isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mine", "tenantry_1", "tenantry_abc_p1_7_2_x"})
    void leavesOtherNamesToTheirOwners(String gid) {
        for (String end : List.of("COMMIT", "ROLLBACK")) {
            client.run("TRUNCATE t");
            client.run("BEGIN");
            client.run("INSERT INTO t VALUES (1)");
            assertThat(outcome("PREPARE TRANSACTION '" + gid + "'")).isEqualTo("PREPARE TRANSACTION I");
            assertThat(rows(1)).isEqualTo("0");
            assertThat(outcome(end + " PREPARED '" + gid + "'")).isEqualTo(end + " PREPARED I");
            assertThat(rows(1)).isEqualTo(end.equals("COMMIT") ? "1" : "0");

            client.run("BEGIN");
            client.run("INSERT INTO t VALUES (2)");
            assertThat(outcome(extended("PREPARE TRANSACTION '" + gid + "'"))).isEqualTo("PREPARE TRANSACTION I");
            assertThat(outcome(extended(end + " PREPARED '" + gid + "'"))).isEqualTo(end + " PREPARED I");
            assertThat(rows(1)).isEqualTo(end.equals("COMMIT") ? "2" : "0");
        }
    }

    @Test
    void refusesToPrepareATransactionOfSeveralNodes() throws SQLException {
        String sql = "PREPARE TRANSACTION 'mine'";
        for (boolean simple : new boolean[] {true, false}) {
            client.run("BEGIN");
            client.run("CREATE ROLE several_role");
            client.run("INSERT INTO t VALUES (1)");
            List<Message> answer = (simple ? client.query(sql) : extended(sql)).readUntilReady();
            Message error = Message.only(answer, 'E');
            assertThat(error.sqlState()).isEqualTo("0A000");
            assertThat(error.fields().get('D')).contains("\"coordinator\"", "\"worker1\"", "\"worker2\"");
            assertThat(error.fields().get('H')).contains("COMMIT");
            assertThat(answer.getLast().text()).isEqualTo("E");
            assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        }
        assertThat(outcome("BEGIN; CREATE ROLE several_role; INSERT INTO t VALUES (1); " + sql))
                .isEqualTo("BEGIN, CREATE ROLE, INSERT 0 1, 0A000 E");
        client.run("ROLLBACK");
        for (PostgresNode node : cluster.nodes()) {
            assertThat(prepared(node)).isEmpty();
        }
        assertThat(rows(1)).isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"COMMIT", "ROLLBACK"})
    void findsWhatIsPreparedOnAnotherNode(String end) throws SQLException {
        for (boolean simple : new boolean[] {true, false}) {
            client.run("SET search_path = several_1");
            client.run("TRUNCATE t");
            client.run("BEGIN");
            client.run("INSERT INTO t VALUES (1)");
            assertThat(outcome("PREPARE TRANSACTION 'mine'")).isEqualTo("PREPARE TRANSACTION I");
            client.run("SET search_path = several_2");
            client.run("SELECT FROM t");
            String sql = end + " PREPARED 'mine'";
            assertThat(outcome(simple ? client.query(sql) : extended(sql))).isEqualTo(end + " PREPARED I");
            assertThat(prepared(cluster.worker(1))).isEmpty();
            assertThat(rows(1)).isEqualTo(end.equals("COMMIT") ? "1" : "0");
            assertThat(outcome(simple ? client.query(sql) : extended(sql))).isEqualTo("42704 I");
            assertThat(client.value("SELECT current_schema")).isEqualTo("several_2");
        }
    }

    @Test
    void finishesAnotherSessionsWhereverThatWas() throws SQLException {
        client.run("BEGIN");
        client.run("INSERT INTO t VALUES (1)");
        client.run("PREPARE TRANSACTION 'mine'");
        try (RawClient other = login()) {
            assertThat(outcome(other.query("COMMIT PREPARED 'mine'"))).isEqualTo("COMMIT PREPARED I");
        }
        assertThat(prepared(cluster.worker(1))).isEmpty();
        assertThat(rows(1)).isEqualTo("1");
    }

    @Test
    void finishesNothingInsideATransaction() throws SQLException {
        client.run("BEGIN");
        client.run("INSERT INTO t VALUES (1)");
        client.run("PREPARE TRANSACTION 'mine'");
        String sql = "COMMIT PREPARED 'mine'";
        client.run("BEGIN");
        assertThat(outcome(sql)).isEqualTo("25001 E");
        assertThat(outcome(sql)).isEqualTo("25P02 E");
        assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
        assertThat(outcome("SELECT 1; " + sql)).isEqualTo("SELECT 1, 25001 I");
        assertThat(outcome(sql + "; SELECT 1")).isEqualTo("25001 I");
        execute("INSERT INTO t VALUES (2)");
        assertThat(outcome(extended(sql))).isEqualTo("INSERT 0 1, 25001 I");
        assertThat(prepared(cluster.worker(1))).containsExactly("mine");
        assertThat(outcome(sql)).isEqualTo("COMMIT PREPARED I");
    }

    @Test
    void keepsSettingsOfWhatIsPrepared() {
        client.run("BEGIN");
        client.run("SET work_mem = '7MB'");
        client.run("SET LOCAL lock_timeout = '7s'");
        client.run("INSERT INTO t VALUES (1)");
        assertThat(outcome("PREPARE TRANSACTION 'mine'")).isEqualTo("PREPARE TRANSACTION I");
        for (int worker = 1; worker <= 2; worker++) {
            assertThat(on(worker, "work_mem")).isEqualTo("7MB");
            assertThat(on(worker, "lock_timeout")).isEqualTo("0");
        }
    }

    @Test
    void takesBackSettingsWhenWhatIsToBePreparedHasFailed() {
        client.run("BEGIN");
        client.run("SET work_mem = '7MB'");
        assertThat(outcome("SELECT 1 / 0")).isEqualTo("22012 E");
        assertThat(outcome("PREPARE TRANSACTION 'mine'")).isEqualTo("ROLLBACK I");
        for (int worker = 1; worker <= 2; worker++) {
            assertThat(on(worker, "work_mem")).isEqualTo("4MB");
        }
    }

    private RawClient extended(String sql) {
        return client.parse("", sql).bind("", "").execute("", 0).sync();
    }

    private static List<String> prepared(PostgresNode node) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT gid FROM pg_prepared_xacts")) {
            List<String> gids = new ArrayList<>();
            while (rows.next()) {
                gids.add(rows.getString(1));
            }
            return gids;
        }
    }

    private static void execute(PostgresNode node, String... statements) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
