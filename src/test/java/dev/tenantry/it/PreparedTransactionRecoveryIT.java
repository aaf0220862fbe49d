package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.commit.GlobalTransactionId;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.recovery.PreparedTransactionRecovery;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Transactions over two nodes whose proxy stops at each point of the commit; recovery ends them the right way. */
class PreparedTransactionRecoveryIT {

    private static final AtomicLong SEQUENCE = new AtomicLong();

    private static PostgresNode coordinator;
    private static PostgresNode worker;
    private static Vertx vertx;
    private static ControlPlane control;
    private static PreparedTransactionRecovery recovery;

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        worker = PostgresNode.start("worker1");
        vertx = Vertx.vertx();
        CoordinatorAddress address = CoordinatorAddress.parse(coordinator.url());
        control = new ControlPlane(
                vertx, address, List.of(new WorkerAddress(worker.host(), worker.port())), FeedLimits.DEFAULT);
        control.start();
        recovery = new PreparedTransactionRecovery(vertx, control.catalog(), address, Duration.ZERO);
        for (PostgresNode node : List.of(coordinator, worker)) {
            run(node, "CREATE TABLE public.done (gid text)");
        }
    }

    @AfterAll
    static void stop() {
        control.close();
        vertx.close();
        worker.close();
        coordinator.close();
    }

    private static void run(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long count(PostgresNode node, String from) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT count(*) FROM " + from)) {
            result.next();
            return result.getLong(1);
        }
    }

    private static String newGid() {
        CatalogSnapshot snapshot = control.catalog().current();
        return new GlobalTransactionId(
                        snapshot.clusterId(),
                        "test",
                        SEQUENCE.incrementAndGet(),
                        snapshot.coordinator().nodeId())
                .toString();
    }

    /** What a proxy does up to PREPARE: the worker's part is prepared, the coordinator's is open. */
    private static Connection prepare(String gid) throws SQLException {
        run(worker, "BEGIN; INSERT INTO public.done VALUES ('" + gid + "'); PREPARE TRANSACTION '" + gid + "'");
        Connection decider = coordinator.connect();
        decider.setAutoCommit(false);
        try (Statement statement = decider.createStatement()) {
            statement.execute("INSERT INTO public.done VALUES ('" + gid + "')");
        }
        return decider;
    }

    private static void record(Connection decider, String gid) throws SQLException {
        try (Statement statement = decider.createStatement()) {
            statement.execute("SELECT tenantry.record_commit('" + gid + "')");
        }
    }

    private static void assertBothHave(String gid, long rows) throws SQLException {
        assertThat(count(worker, "pg_prepared_xacts WHERE gid = '" + gid + "'")).isZero();
        assertThat(count(worker, "public.done WHERE gid = '" + gid + "'")).isEqualTo(rows);
        assertThat(count(coordinator, "public.done WHERE gid = '" + gid + "'")).isEqualTo(rows);
    }

    @Test
    void rollsBackWhenTheProxyDiedBeforeTheDecision() throws Exception {
        String gid = newGid();
        prepare(gid).close();
        recovery.recover();
        assertBothHave(gid, 0);
    }

    @Test
    void commitsWhenTheProxyDiedAfterTheDecision() throws Exception {
        String gid = newGid();
        try (Connection decider = prepare(gid)) {
            record(decider, gid);
            decider.commit();
        }
        recovery.recover();
        assertBothHave(gid, 1);
        Eventually.passes(() -> {
            recovery.recover();
            assertThat(count(coordinator, "tenantry.commit_record WHERE gid = '" + gid + "'"))
                    .isZero();
        });
    }

    @Test
    void leavesTransactionsWhoseDeciderIsJustCommitting() throws Exception {
        String gid = newGid();
        try (Connection decider = prepare(gid)) {
            record(decider, gid);
            recovery.recover();
            assertThat(count(worker, "pg_prepared_xacts WHERE gid = '" + gid + "'"))
                    .isEqualTo(1);
            decider.commit();
        }
        recovery.recover();
        assertBothHave(gid, 1);
    }

    @Test
    void forbidsTheDecisionOfAProxyThatComesTooLate() throws Exception {
        String gid = newGid();
        try (Connection decider = prepare(gid)) {
            recovery.recover();
            assertThatThrownBy(() -> record(decider, gid))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            error -> assertThat(error.getSQLState()).isEqualTo("23505"));
            decider.rollback();
        }
        recovery.recover();
        assertBothHave(gid, 0);
    }

    @Test
    void waitsForADeciderThatIsDown() throws Exception {
        String gid = newGid();
        try (Connection decider = prepare(gid)) {
            record(decider, gid);
            decider.commit();
        }
        coordinator.kill();
        recovery.recover();
        assertThat(count(worker, "pg_prepared_xacts WHERE gid = '" + gid + "'")).isEqualTo(1);
        coordinator.restart();
        recovery.recover();
        assertBothHave(gid, 1);
    }

    @Test
    void finishesOnANodeThatWasDown() throws Exception {
        String gid = newGid();
        try (Connection decider = prepare(gid)) {
            record(decider, gid);
            decider.commit();
        }
        worker.kill();
        recovery.recover();
        assertThat(count(coordinator, "tenantry.commit_record WHERE gid = '" + gid + "'"))
                .isEqualTo(1);
        worker.restart();
        recovery.recover();
        assertBothHave(gid, 1);
    }

    @Test
    void leavesTransactionsOfOthersAlone() throws Exception {
        run(worker, "BEGIN; INSERT INTO public.done VALUES ('x'); PREPARE TRANSACTION 'somebody_else'");
        run(worker, "BEGIN; INSERT INTO public.done VALUES ('x'); PREPARE TRANSACTION 'tenantry_othercluster_p_1_1'");
        recovery.recover();
        assertThat(count(worker, "pg_prepared_xacts WHERE gid IN ('somebody_else', 'tenantry_othercluster_p_1_1')"))
                .isEqualTo(2);
        run(worker, "ROLLBACK PREPARED 'somebody_else'");
        run(worker, "ROLLBACK PREPARED 'tenantry_othercluster_p_1_1'");
    }
}
