package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.node.copy.MoveNames;
import dev.tenantry.control.node.copy.SlotSnapshot;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The moment between a commit in the log and the end of its transaction, which is too short to be met at will, is made
 * long by a synchronous standby that is not there.
 */
class SlotSnapshotIT {

    private static final MoveNames NAMES = new MoveNames("slots", 1);
    private static final PostgresNode NODE = PostgresNode.start("slots");

    @BeforeAll
    static void create() throws SQLException {
        execute("CREATE TABLE t (id int)");
    }

    @AfterAll
    static void stop() {
        NODE.close();
    }

    @Test
    void isNotGivenOutWhileTransactionThatItSeesHasNotEnded() throws Exception {
        CoordinatorAddress address = CoordinatorAddress.parse(NODE.url());
        FutureTask<Void> late = new FutureTask<>(() -> execute("INSERT INTO t VALUES (3)"), null);
        try (SlotSnapshot slot = new SlotSnapshot(address, NAMES);
                Connection first = writing(1);
                Connection reader = NODE.connect();
                Statement statement = reader.createStatement()) {
            FutureTask<String> creation = new FutureTask<>(slot::create);
            Thread.ofVirtual().start(creation);
            awaitWaitFor(first);
            try (Connection second = writing(2)) {
                first.rollback();
                awaitWaitFor(second);
                execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()");
                Eventually.passes(() ->
                        assertThat(value("SHOW synchronous_standby_names")).isEqualTo("nobody"));
                Thread.ofVirtual().start(late);
                Eventually.passes(() -> assertThat(value("SELECT count(*) FROM pg_stat_activity"
                                + " WHERE wait_event = 'SyncRep' AND query LIKE 'INSERT%'"))
                        .isEqualTo("1"));
                second.rollback();
            }
            Set<String> looks = new HashSet<>();
            Eventually.passes(() -> {
                looks.addAll(values("SELECT query_start::text FROM pg_stat_activity WHERE application_name = '"
                        + NAMES.copies() + "' AND query LIKE 'SELECT pg_current_snapshot()%'"));
                assertThat(looks.size() > 5 || isWaitedFor("SyncRep"))
                        .as("it looks again and again, unless the server, up to 15, waits itself")
                        .isTrue();
            });
            assertThat(creation.isDone()).isFalse();
            execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
            statement.execute(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" + creation.get() + "'");
            late.get();
            assertThat(value(statement, "SELECT string_agg(id::text, ',') FROM t"))
                    .isEqualTo("3");
            statement.execute("ROLLBACK");
        }
    }

    private static Connection writing(int id) throws SQLException {
        Connection connection = NODE.connect();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO t VALUES (" + id + ")");
        }
        return connection;
    }

    /** Until the slot waits for that connection's transaction. */
    private static void awaitWaitFor(Connection writer) throws SQLException {
        try (Statement statement = writer.createStatement()) {
            String transaction = value(statement, "SELECT pg_current_xact_id()::xid");
            Eventually.passes(() -> assertThat(value("SELECT count(*) FROM pg_locks WHERE NOT granted"
                            + " AND locktype = 'transactionid' AND transactionid::text = '" + transaction + "'"))
                    .isEqualTo("1"));
        }
    }

    /** Whether somebody waits for the end of a transaction that itself waits for that event. */
    private static boolean isWaitedFor(String event) throws SQLException {
        return !values("SELECT w.pid FROM pg_locks w JOIN pg_stat_activity t ON t.backend_xid = w.transactionid"
                        + " WHERE NOT w.granted AND t.wait_event = '" + event + "'")
                .isEmpty();
    }

    private static void execute(String... commands) {
        try (Connection connection = NODE.connect();
                Statement statement = connection.createStatement()) {
            for (String command : commands) {
                statement.execute(command);
            }
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static String value(String query) throws SQLException {
        return values(query).getFirst();
    }

    private static List<String> values(String query) throws SQLException {
        try (Connection connection = NODE.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }

    private static String value(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            assertThat(rows.next()).as(query).isTrue();
            return rows.getString(1);
        }
    }
}
