package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A schema comes to a node where a transaction has a snapshot from before its rows were there. */
class SnapshotDuringMoveIT {
    private static final Cluster CLUSTER = Cluster.shared();
    private static final String UPDATE = "UPDATE snap_moves.t SET n = n + 1";

    private final RawClient mover = CLUSTER.login();
    private final RawClient client = CLUSTER.login();

    @BeforeEach
    void create() {
        create("snap_moves", 1);
        create("snap_first", 1);
        create("snap_second", 2);
    }

    private void create(String schema, int worker) {
        mover.succeed("SET tenantry.node = 'worker" + worker + "'");
        mover.succeed("CREATE SCHEMA " + schema);
        mover.succeed("CREATE TABLE " + schema + ".t AS SELECT 0 AS n");
    }

    @AfterEach
    void drop() {
        mover.succeed("DROP SCHEMA snap_moves, snap_first, snap_second CASCADE");
        mover.close();
        client.close();
    }

    @ParameterizedTest
    @CsvSource({
        "BEGIN ISOLATION LEVEL REPEATABLE READ, simple",
        "BEGIN ISOLATION LEVEL REPEATABLE READ, string",
        "BEGIN ISOLATION LEVEL SERIALIZABLE, extended",
        "BEGIN, simple",
        "BEGIN, extended"
    })
    void isNeverTakenForEmpty(String begin, String how) {
        if (begin.equals("BEGIN")) {
            client.succeed("SET default_transaction_isolation = 'repeatable read'");
        }
        client.succeed(begin);
        client.succeed("SELECT FROM snap_second.t");
        move(2);
        assertThat(said(how)).isEqualTo("40001 E");
        client.succeed("ROLLBACK");
        client.succeed(begin);
        assertThat(said(how)).startsWith("UPDATE 1 ").endsWith("T");
        client.succeed("COMMIT");
    }

    @ParameterizedTest
    @CsvSource({"simple", "string", "extended"})
    void isSeenByReadCommitted(String how) {
        client.succeed("BEGIN");
        client.succeed("SELECT FROM snap_second.t");
        move(2);
        assertThat(said(how)).startsWith("UPDATE 1 ").endsWith("T");
        assertThat(said("simple")).isEqualTo("UPDATE 1 T");
        client.succeed("COMMIT");
        assertThat(client.value("SELECT n FROM snap_moves.t")).isEqualTo("2");
    }

    /** What goes to a node as one string begins a snapshot there like any statement. */
    @ParameterizedTest
    @CsvSource({
        "'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM snap_second.t', ''",
        "BEGIN ISOLATION LEVEL REPEATABLE READ, SELECT FROM snap_second.t; SELECT FROM snap_second.t"
    })
    void isNeverTakenForEmptyAfterAString(String first, String second) {
        client.succeed(first);
        client.succeed(second);
        move(2);
        assertThat(said("simple")).isEqualTo("40001 E");
        client.succeed("ROLLBACK");
    }

    /** Sizes of nodes are measured all the time, and every change of the catalog is a new version of it. */
    @ParameterizedTest
    @CsvSource({"simple", "string", "extended"})
    void isSeenWhileOtherThingsOfTheCatalogChange(String how) throws SQLException {
        client.succeed("BEGIN ISOLATION LEVEL REPEATABLE READ");
        client.succeed("SELECT FROM snap_moves.t");
        try (Connection coordinator = CLUSTER.coordinator().connect();
                Statement statement = coordinator.createStatement()) {
            statement.execute("INSERT INTO tenantry.node_size AS kept (nodeid, bytes) SELECT nodeid, 8192"
                    + " FROM tenantry.node ON CONFLICT (nodeid) DO UPDATE SET bytes = kept.bytes + 8192");
            statement.execute("SELECT tenantry.catalog_changed()");
        }
        mover.succeed("CREATE SCHEMA snap_later"); // after which this proxy has seen that
        mover.succeed("DROP SCHEMA snap_later");
        assertThat(said(how)).startsWith("UPDATE 1 ").endsWith("T");
        client.succeed("ROLLBACK");
    }

    @Test
    void isNeverTakenForEmptyWhenItHasComeBack() {
        client.succeed("BEGIN ISOLATION LEVEL REPEATABLE READ");
        client.succeed("SELECT FROM snap_first.t");
        move(2);
        move(1);
        assertThat(said("simple")).isEqualTo("40001 E");
        client.succeed("ROLLBACK");
    }

    private void move(int worker) {
        mover.succeed("SELECT citus_schema_move('snap_moves', '127.0.0.1', "
                + CLUSTER.worker(worker).port() + ", 'force_logical')");
    }

    /** Tags and SQLSTATEs of an update, with a statement behind it or not, and the status. */
    private String said(String how) {
        switch (how) {
            case "simple" -> client.query(UPDATE).flushOut();
            case "string" -> client.query(UPDATE + "; SELECT FROM snap_moves.t").flushOut();
            default ->
                client.parse("", UPDATE).bind("", "").execute("", 0).sync().flushOut();
        }
        return Message.said(client.readUntilReady());
    }
}
