package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.MovingSchema;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What comes between the comparison of both sides and the switch. */
class MoveLastMomentIT {

    private static Cluster cluster;
    private static MovingSchema schema;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        schema = new MovingSchema(cluster);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void create() {
        schema.run("DROP SCHEMA IF EXISTS acme, beta CASCADE");
        schema.run("SET tenantry.node = 'worker1'; CREATE SCHEMA acme");
        schema.run("CREATE TABLE acme.t (id int PRIMARY KEY, n int); INSERT INTO acme.t VALUES (1, 0), (2, 0)");
    }

    @AfterEach
    void observeNothing() {
        cluster.observeMoves(MovePoint.Observer.NONE);
    }

    /** Replication stands still then, and what is written is not part of what is compared. */
    @Test
    void letsWritersGoOnWhileTheTargetGetsLevelForTheComparison() {
        String rows = "SELECT id || ' ' || n FROM acme.t ORDER BY id";
        AtomicReference<List<String>> copy = new AtomicReference<>();
        cluster.observeMoves(point -> {
            if (point == MovePoint.COMPARING) {
                schema.run("UPDATE acme.t SET n = n + 7; DELETE FROM acme.t WHERE id = 1;"
                        + " INSERT INTO acme.t VALUES (3, 3)");
                Eventually.passes(() -> assertThat(cluster.worker(2)
                                .list("SELECT 'waits' FROM pg_stat_activity WHERE wait_event = 'transactionid'"))
                        .containsExactly("waits"));
                copy.set(rows(cluster.worker(2), rows));
            }
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(copy).hasValue(List.of("1 0", "2 0"));
        assertThat(rows(cluster.worker(2), rows)).containsExactly("2 7", "3 3");
        assertThat(schema.value("SELECT attempt FROM tenantry_moves WHERE moveid = " + move))
                .isEqualTo("1");
        schema.assertOn(2);
    }

    /** By a client without a proxy, whose transaction the switch waits for. */
    @Test
    void givesNoNumberTwiceThatWasTakenJustBeforeTheSwitch() throws Exception {
        schema.run("CREATE SEQUENCE acme.s");
        AtomicReference<FutureTask<Long>> taking = new AtomicReference<>();
        cluster.observeMoves(point -> {
            if (point == MovePoint.LOCKED && taking.get() == null) {
                CountDownLatch begun = new CountDownLatch(1);
                taking.set(new FutureTask<>(() -> takeNumbers(begun)));
                Thread.ofPlatform().start(taking.get());
                begun.await();
            }
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(Long.parseLong(schema.value("SELECT nextval('acme.s')")))
                .isGreaterThan(taking.get().get());
        schema.assertOn(2);
    }

    /** The last of many that one transaction takes. */
    private static long takeNumbers(CountDownLatch begun) throws SQLException {
        long last = 0;
        try (Connection direct = cluster.worker(1).connect();
                Statement statement = direct.createStatement()) {
            direct.setAutoCommit(false);
            for (int i = 0; i < 300; i++) {
                try (ResultSet row = statement.executeQuery("SELECT nextval('acme.s')")) {
                    assertThat(row.next()).isTrue();
                    last = row.getLong(1);
                }
                begun.countDown();
            }
            direct.commit();
        }
        return last;
    }

    @Test
    void seesAChangeInTheMomentOfTheSwitch() {
        schema.onceAt(MovePoint.VERIFIED, () -> {
            schema.run("CREATE TABLE acme.late (a int); INSERT INTO acme.late VALUES (9)");
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(schema.value("SELECT a FROM acme.late")).isEqualTo("9");
        schema.assertOn(2);
    }

    @Test
    void copiesAnewWhatWasMadeAnewAfterTheComparison() {
        schema.onceAt(MovePoint.VERIFIED, () -> {
            schema.run("DROP TABLE acme.t; CREATE TABLE acme.t (id int PRIMARY KEY, n int);"
                    + " INSERT INTO acme.t VALUES (5, 5)");
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(schema.value("SELECT string_agg(id::text, ',') FROM acme.t")).isEqualTo("5");
        schema.assertOn(2);
    }

    @Test
    void refusesWhatOthersHaveBegunToUse() {
        schema.run("SET tenantry.node = 'worker1'; CREATE SCHEMA beta");
        cluster.observeMoves(point -> {
            if (point == MovePoint.VERIFIED) {
                schema.run("CREATE VIEW beta.v AS SELECT * FROM acme.t");
            }
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("failed"));
        assertThat(schema.value("SELECT error FROM tenantry_moves WHERE moveid = " + move))
                .contains("view \"beta\".\"v\"");
        assertThat(schema.value("SELECT count(*) FROM beta.v")).isEqualTo("2");
        schema.run("DROP SCHEMA beta CASCADE");
        schema.assertOn(1);
    }

    @Test
    void keepsTheOldCopyForWhatOthersHaveBegunToUseAtTheLastMoment() throws SQLException {
        schema.run("SET tenantry.node = 'worker1'; CREATE SCHEMA beta");
        cluster.observeMoves(point -> {
            if (point == MovePoint.LEVEL) {
                atNode(cluster.worker(1), "CREATE VIEW beta.v AS SELECT * FROM acme.t");
            }
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(schema.value("SELECT count(*) FROM beta.v")).isEqualTo("2");
        schema.run("DROP SCHEMA beta CASCADE");
        assertThat(schema.value("SELECT old_schema FROM tenantry_moves WHERE moveid = " + move))
                .isEqualTo("tenantry_old_" + move);
        cluster.worker(1).list("SET tenantry.schema_ddl = on; DROP SCHEMA tenantry_old_" + move + " CASCADE");
        cluster.coordinator().list("UPDATE tenantry.move SET old_schema = NULL WHERE moveid = " + move);
    }

    @Test
    void givesUpAnAttemptWhereSomebodyHoldsALockOnTheTarget() throws Exception {
        schema.run("ALTER TABLE acme.t ENABLE ROW LEVEL SECURITY; ALTER TABLE acme.t FORCE ROW LEVEL SECURITY");
        try (Connection reader = cluster.worker(2).connect();
                Statement reading = reader.createStatement()) {
            reader.setAutoCommit(false);
            schema.onceAt(MovePoint.LEVEL, () -> {
                reading.execute("SELECT FROM acme.t");
            });
            long move = schema.startMove(2);
            Eventually.passes(
                    () -> assertThat(schema.value("SELECT cutovers > 1 FROM tenantry_moves WHERE moveid = " + move))
                            .isEqualTo("t"));
            reader.rollback();
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
            assertThat(schema.value("SELECT attempt FROM tenantry_moves WHERE moveid = " + move))
                    .isEqualTo("1");
        }
        schema.assertOn(2);
    }

    @Test
    void carriesATableThatSomebodyWasJustMaking() throws Exception {
        try (Connection maker = cluster.worker(1).connect();
                Statement making = maker.createStatement()) {
            maker.setAutoCommit(false); // past the proxies, so that no pause holds it
            schema.onceAt(MovePoint.LOCKED, () -> {
                making.execute("CREATE TABLE acme.made (a int); INSERT INTO acme.made VALUES (6)");
            });
            long move = schema.startMove(2);
            Eventually.passes(
                    () -> assertThat(schema.value("SELECT cutovers > 1 FROM tenantry_moves WHERE moveid = " + move))
                            .isEqualTo("t"));
            maker.commit();
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        }
        assertThat(schema.value("SELECT a FROM acme.made")).isEqualTo("6");
        schema.assertOn(2);
    }

    @Test
    void leavesThePauseToTheOneWhoHasTakenTheMoveOver() {
        AtomicReference<List<String>> left = new AtomicReference<>(List.of());
        cluster.observeMoves(point -> {
            if (point == MovePoint.PAUSED) {
                atNode(
                        cluster.coordinator(),
                        "SELECT tenantry.resume_after_move(moveid, epoch - 1) FROM tenantry.move"
                                + " WHERE finished_at IS NULL");
                left.set(rows(cluster.coordinator(), "SELECT pauseid FROM tenantry.pause"));
            }
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(left.get()).hasSize(1);
    }

    private static void atNode(PostgresNode node, String sql) {
        rows(node, sql);
    }

    private static List<String> rows(PostgresNode node, String sql) {
        try {
            return node.list(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
