package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.commit.GlobalTransactionId;
import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.node.NodeScripts;
import dev.tenantry.control.recovery.PreparedTransactionRecovery;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Transactions over two nodes whose proxy stops at each point of the commit; recovery ends them the right way. */
class PreparedTransactionRecoveryIT {

    private static final AtomicLong SEQUENCE = new AtomicLong();

    private static PostgresNode coordinator;
    private static PostgresNode worker;
    private static PostgresNode bystander;
    private static Vertx vertx;
    private static ControlPlane control;
    private static PreparedTransactionRecovery recovery;

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        worker = PostgresNode.start("worker1");
        bystander = PostgresNode.start("worker2");
        vertx = Vertx.vertx();
        CoordinatorAddress address = CoordinatorAddress.parse(coordinator.url());
        control = new ControlPlane(
                vertx,
                address,
                List.of(
                        new WorkerAddress(worker.host(), worker.port()),
                        new WorkerAddress(bystander.host(), bystander.port())),
                ControlLimits.DEFAULT,
                new SimpleMeterRegistry());
        control.start();
        recovery = new PreparedTransactionRecovery(vertx, control.catalog(), address, Duration.ZERO, action -> {});
        for (PostgresNode node : List.of(coordinator, worker)) {
            run(node, "CREATE TABLE public.done (gid text)");
        }
    }

    @AfterAll
    static void stop() {
        recovery.close();
        control.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        bystander.close();
        worker.close();
        coordinator.close();
    }

    private static void run(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect()) {
            execute(connection, sql);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
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

    /** What a proxy does up to PREPARE: the worker's part is prepared, the coordinator's is open. */
    private record Undecided(Connection decider, String gid) implements AutoCloseable {

        void record() throws SQLException {
            record(decider, gid);
        }

        /** What a proxy calls in the transaction that decides, and anybody else may try. */
        static void record(Connection connection, String gid) throws SQLException {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT tenantry.record_commit(?, ARRAY[?]::integer[])")) {
                statement.setString(1, gid);
                statement.setInt(2, nodeId("worker1"));
                statement.execute();
            }
        }

        void commit() throws SQLException {
            decider.commit();
        }

        @Override
        public void close() throws SQLException {
            decider.close();
        }
    }

    private static int nodeId(String name) {
        return control.catalog().current().nodeNamed(name).orElseThrow().nodeId();
    }

    private static Undecided prepare() throws SQLException {
        Connection decider = coordinator.connect();
        decider.setAutoCommit(false);
        String gid = new GlobalTransactionId(
                        control.catalog().current().clusterId(),
                        "test",
                        SEQUENCE.incrementAndGet(),
                        nodeId("coordinator"),
                        Long.parseLong(text(decider, "SELECT pg_current_xact_id()")))
                .toString();
        execute(decider, "INSERT INTO public.done VALUES ('" + gid + "')");
        run(worker, "BEGIN; INSERT INTO public.done VALUES ('" + gid + "'); PREPARE TRANSACTION '" + gid + "'");
        return new Undecided(decider, gid);
    }

    private static void assertBothHave(String gid, long rows) throws SQLException {
        assertThat(count(worker, "pg_prepared_xacts WHERE gid = '" + gid + "'")).isZero();
        assertThat(count(worker, "public.done WHERE gid = '" + gid + "'")).isEqualTo(rows);
        assertThat(count(coordinator, "public.done WHERE gid = '" + gid + "'")).isEqualTo(rows);
    }

    private static String commitAndDie() throws SQLException {
        try (Undecided transaction = prepare()) {
            transaction.record();
            transaction.commit();
            return transaction.gid();
        }
    }

    @Test
    void rollsBackWhenTheProxyDiedBeforeTheDecision() throws Exception {
        Undecided transaction = prepare();
        transaction.close();
        recovery.recover(Set.of());
        assertBothHave(transaction.gid(), 0);
    }

    @Test
    void commitsWhenTheProxyDiedAfterTheDecision() throws Exception {
        String gid = commitAndDie();
        recovery.recover(Set.of());
        assertBothHave(gid, 1);
        Eventually.passes(() -> {
            recovery.recover(Set.of());
            assertThat(count(coordinator, "tenantry.commit_record WHERE gid = '" + gid + "'"))
                    .isZero();
        });
    }

    @Test
    void leavesTransactionsWhoseDeciderIsJustCommitting() throws Exception {
        String gid;
        try (Undecided transaction = prepare()) {
            gid = transaction.gid();
            transaction.record();
            recovery.recover(Set.of());
            assertThat(count(worker, "pg_prepared_xacts WHERE gid = '" + gid + "'"))
                    .isEqualTo(1);
            transaction.commit();
        }
        recovery.recover(Set.of());
        assertBothHave(gid, 1);
    }

    @Test
    void makesTheDecisionWaitForTheDisk() throws Exception {
        try (Undecided transaction = prepare()) {
            execute(transaction.decider(), "SET LOCAL synchronous_commit = off");
            transaction.record();
            assertThat(text(transaction.decider(), "SHOW synchronous_commit")).isEqualTo("on");
            execute(transaction.decider(), "SET LOCAL synchronous_commit = remote_write");
            assertThat(text(transaction.decider(), "SHOW synchronous_commit")).isEqualTo("remote_write");
            transaction.commit();
            assertThat(text(transaction.decider(), "SHOW synchronous_commit")).isEqualTo("on");
        }
        recovery.recover(Set.of());
    }

    @Test
    void forbidsTheDecisionOfAProxyThatComesTooLate() throws Exception {
        String gid;
        try (Undecided transaction = prepare()) {
            gid = transaction.gid();
            recovery.recover(Set.of());
            assertRefused("23505", transaction::record);
        }
        recovery.recover(Set.of());
        assertBothHave(gid, 0);
    }

    @Test
    void takesTheDecisionFromTheDecidingTransactionOnly() throws Exception {
        run(coordinator, "CREATE ROLE forger LOGIN PASSWORD 'forger'");
        Undecided transaction = prepare();
        try (Connection forger = DriverManager.getConnection(
                coordinator.jdbcUrl().replaceAll("user=.*?&password=.*?&", "user=forger&password=forger&"))) {
            assertRefused("42501", () -> Undecided.record(forger, transaction.gid()));
            String own = transaction.gid().replaceAll("_[0-9]+$", "_" + text(forger, "SELECT pg_current_xact_id()"));
            assertThat(own).isNotEqualTo(transaction.gid());
            assertRefused("42501", () -> Undecided.record(forger, own));
            assertRefused("22023", () -> Undecided.record(forger, "somebody_else"));
            for (String sql : List.of(
                    "SELECT * FROM tenantry.commit_record",
                    "INSERT INTO tenantry.commit_record (gid) VALUES ('" + transaction.gid() + "')",
                    "DELETE FROM tenantry.commit_record")) {
                assertRefused("42501", () -> execute(forger, sql));
            }
        }
        transaction.close();
        recovery.recover(Set.of());
        assertBothHave(transaction.gid(), 0);
        run(coordinator, "DROP ROLE forger");
    }

    @Test
    void leavesNoWayToForgetADecision() throws Exception {
        run(coordinator, """
                CREATE FUNCTION tenantry.forget_commit(gid text) RETURNS void LANGUAGE sql AS 'SELECT';
                CREATE FUNCTION tenantry.record_commit(gid text) RETURNS void LANGUAGE sql AS 'SELECT'""");
        run(coordinator, "SET tenantry.schema_ddl = on;" + NodeScripts.install());
        assertThat(count(
                        coordinator,
                        "pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'tenantry'"
                                + " AND proname ~ 'commit' AND oidvectortypes(proargtypes) <> 'text, integer[]'"))
                .isZero();
    }

    private static void assertRefused(String sqlState, ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        SQLException.class,
                        error -> assertThat(error.getSQLState()).isEqualTo(sqlState));
    }

    @Test
    void waitsForADeciderThatIsDown() throws Exception {
        String gid = commitAndDie();
        coordinator.kill();
        recovery.recover(Set.of());
        assertThat(count(worker, "pg_prepared_xacts WHERE gid = '" + gid + "'")).isEqualTo(1);
        coordinator.restart();
        recovery.recover(Set.of());
        assertBothHave(gid, 1);
    }

    /** A decider may be read-only, or its disk full. */
    @Test
    void finishesWhatIsDecidedThoughADeciderRefusesToDecide() throws Exception {
        Undecided undecided = prepare();
        undecided.close();
        String decided = commitAndDie();
        run(
                coordinator,
                "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$");
        run(
                coordinator,
                "CREATE TRIGGER refuse BEFORE INSERT ON tenantry.commit_record FOR EACH ROW WHEN (NEW.gid = '"
                        + undecided.gid() + "') EXECUTE FUNCTION public.refuse()");
        recovery.recover(Set.of());
        assertBothHave(decided, 1);
        run(coordinator, "DROP FUNCTION public.refuse() CASCADE");
        recovery.recover(Set.of());
        assertBothHave(undecided.gid(), 0);
    }

    @Test
    void finishesOnANodeThatWasDown() throws Exception {
        String gid = commitAndDie();
        worker.kill();
        recovery.recover(Set.of());
        assertThat(count(coordinator, "tenantry.commit_record WHERE gid = '" + gid + "'"))
                .isEqualTo(1);
        worker.restart();
        recovery.recover(Set.of());
        assertBothHave(gid, 1);
    }

    @Test
    void leavesToAProxyThatIsAliveWhatNoRestartHasCutOff() throws Exception {
        CoordinatorAddress address = CoordinatorAddress.parse(coordinator.url());
        try (PreparedTransactionRecovery patient =
                new PreparedTransactionRecovery(vertx, control.catalog(), address, Duration.ofHours(1), action -> {})) {
            String gid = commitAndDie();
            assertThat(patient.recover(Set.of("test"))).isZero();
            worker.kill();
            worker.restart();
            assertThat(patient.recover(Set.of("test"))).isEqualTo(1);
            assertBothHave(gid, 1);
            try (Undecided transaction = prepare()) {
                assertThat(patient.recover(Set.of("test"))).isZero();
                coordinator.kill();
                coordinator.restart();
                assertThat(patient.recover(Set.of("test"))).isEqualTo(1);
                assertBothHave(transaction.gid(), 0);
            }
        }
    }

    @Test
    void finishesBeforeItAnswersWhoAsked() throws Exception {
        String gid = commitAndDie();
        worker.kill();
        worker.restart();
        try (Connection superuser = coordinator.connect()) {
            assertThat(text(superuser, "SELECT tenantry.recover_prepared_transactions()"))
                    .matches("[01]"); // none where the leader was about to do it anyway
            assertBothHave(gid, 1);
            execute(superuser, "CREATE ROLE asker");
            execute(superuser, "GRANT USAGE ON SCHEMA tenantry TO asker");
            execute(superuser, "SET ROLE asker");
            assertRefused("42501", () -> text(superuser, "SELECT tenantry.recover_prepared_transactions()"));
            execute(superuser, "RESET ROLE");
            execute(superuser, "DROP OWNED BY asker");
            execute(superuser, "DROP ROLE asker");
        }
    }

    @Test
    void forgetsDecisionsThatNoSilentNodeNeeds() throws Exception {
        bystander.kill();
        String gid = commitAndDie();
        recovery.recover(Set.of());
        assertBothHave(gid, 1);
        Eventually.passes(() -> {
            recovery.recover(Set.of());
            assertThat(count(coordinator, "tenantry.commit_record WHERE gid = '" + gid + "'"))
                    .isZero();
        });
        bystander.restart();
    }

    @Test
    void leavesTransactionsOfOthersAlone() throws Exception {
        run(worker, "BEGIN; INSERT INTO public.done VALUES ('x'); PREPARE TRANSACTION 'somebody_else'");
        run(worker, "BEGIN; INSERT INTO public.done VALUES ('x'); PREPARE TRANSACTION 'tenantry_othercluster_p_1_1_1'");
        recovery.recover(Set.of());
        assertThat(count(worker, "pg_prepared_xacts WHERE gid IN ('somebody_else', 'tenantry_othercluster_p_1_1_1')"))
                .isEqualTo(2);
        run(worker, "ROLLBACK PREPARED 'somebody_else'");
        run(worker, "ROLLBACK PREPARED 'tenantry_othercluster_p_1_1_1'");
    }
}
