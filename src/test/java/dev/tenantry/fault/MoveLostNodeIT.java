package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Moves from or to a node that dies and is never seen again. */
class MoveLostNodeIT {

    private static Cluster cluster;
    private static PostgresNode third;

    private final AtomicBoolean killed = new AtomicBoolean();

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        third = PostgresNode.start("third");
    }

    @AfterAll
    static void stop() {
        cluster.close();
        third.close();
    }

    @BeforeEach
    void add() throws SQLException {
        third.restart();
        cluster.list("SELECT citus_add_node('%s', %d)".formatted(third.host(), third.port()));
        cluster.tenantry().catalog().refresh();
    }

    private static String thirdsName() throws SQLException {
        return cluster.list("SELECT name FROM pg_dist_node WHERE nodeport = " + third.port())
                .getFirst();
    }

    @Test
    void leavesNothingOnTheSourceWhenTheTargetIsLost() throws SQLException {
        create("leaving", "worker1");
        killThirdAt(MovePoint.COPIED);
        String move = startMove("leaving", third);
        Eventually.holds("the target is down", killed::get);
        cluster.list("SELECT tenantry_move_cancel(" + move + ")");
        PostgresNode source = cluster.worker(1);
        Eventually.passes(() -> {
            assertThat(source.list("SELECT slot_name FROM pg_replication_slots"))
                    .isEmpty();
            assertThat(source.list("SELECT pubname FROM pg_publication")).isEmpty();
            assertThat(source.list("SELECT relreplident FROM pg_class WHERE oid = 'leaving.t'::regclass"))
                    .containsExactly("d");
        });
        assertThat(phase(move)).containsExactly("undoing");
        removeThird();
        Eventually.passes(() -> assertThat(phase(move)).containsExactly("cancelled"));
        move("leaving", cluster.worker(2));
        assertThat(cluster.list("SELECT a FROM leaving.t")).containsExactly("1");
    }

    @Test
    void endsWhenTheSourceIsLostAfterTheSwitch() throws SQLException {
        create("arriving", thirdsName());
        killThirdAt(MovePoint.PREPARED_COMMITTED);
        String move = startMove("arriving", cluster.worker(2));
        Eventually.holds("the source is down", killed::get);
        Eventually.passes(() -> assertThat(cluster.worker(2).list("SELECT subname FROM pg_subscription"))
                .isEmpty());
        assertThat(phase(move)).containsExactly("switched");
        removeThird();
        Eventually.passes(() -> assertThat(phase(move)).containsExactly("done"));
        assertThat(cluster.list("SELECT moveid FROM tenantry_moves WHERE old_schema IS NOT NULL"))
                .isEmpty();
        move("arriving", cluster.worker(1));
        assertThat(cluster.list("SELECT a FROM arriving.t")).containsExactly("1");
    }

    private void killThirdAt(MovePoint deadly) {
        cluster.observeMoves(point -> {
            if (point == deadly && !killed.get()) {
                third.kill();
                killed.set(true);
            }
        });
    }

    private static void create(String schema, String node) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = '" + node + "'");
            statement.execute("CREATE SCHEMA " + schema);
            statement.execute("CREATE TABLE " + schema + ".t (a int); INSERT INTO " + schema + ".t VALUES (1)");
        }
    }

    private static String startMove(String schema, PostgresNode target) throws SQLException {
        return cluster.list(
                        "SELECT tenantry_move_start('%s', '%s', %d)".formatted(schema, target.host(), target.port()))
                .getFirst();
    }

    private static void move(String schema, PostgresNode target) throws SQLException {
        cluster.list("SELECT citus_schema_move('%s', '%s', %d)".formatted(schema, target.host(), target.port()));
    }

    private static void removeThird() throws SQLException {
        cluster.list("SELECT citus_remove_node('%s', %d)".formatted(third.host(), third.port()));
    }

    private static List<String> phase(String move) throws SQLException {
        return cluster.list("SELECT phase FROM tenantry_moves WHERE moveid = " + move);
    }
}
