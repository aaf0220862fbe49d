package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.activity.LockWaiter;
import dev.tenantry.activity.LockWaiters;
import dev.tenantry.catalog.Node;
import dev.tenantry.control.deadlock.DeadlockDetector;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two transactions that wait for each other's rows, each on another node: one of them is ended, and only one. */
class DeadlockIT extends SeveralNodes {

    /** The connections of detectors. */
    private static final String LOOKS = "FROM pg_stat_activity WHERE application_name = 'tenantry control'"
            + " AND query LIKE '%pg_blocking_pids%' AND pid <> pg_backend_pid()";

    @BeforeEach
    void fill() {
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("INSERT INTO several_2.t VALUES (1)");
    }

    @Test
    void endsADeadlockOverTwoNodes() throws SQLException {
        try (RawClient other = login()) {
            deadlock(client, other);
        }
    }

    @Test
    void endsADeadlockOfTheExtendedProtocol() throws SQLException {
        try (RawClient other = login()) {
            begin(client, 1);
            begin(other, 2);
            client.parse("", update(2)).bind("", "").execute("", 0).sync().flushOut();
            waits(2);
            other.parse("", update(1)).bind("", "").execute("", 0).sync().flushOut();
            resolved(client, other);
        }
    }

    @Test
    void endsADeadlockBetweenTwoProxies() throws SQLException, IOException {
        Vertx vertx = Vertx.vertx();
        try (ProxyServer proxy = cluster.anotherProxy(point -> {});
                DeadlockDetector detector = new DeadlockDetector(
                        vertx,
                        cluster.tenantry().catalog(),
                        CoordinatorAddress.parse(cluster.coordinator().url()),
                        proxy.lockWaiters());
                RawClient other = SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), Map.of())) {
            detector.start();
            deadlock(client, other);
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void endsADeadlockOfDdlThatRunsOnEveryNode() throws SQLException {
        client.run("CREATE ROLE several_role");
        try (RawClient younger = login()) {
            client.run("BEGIN");
            assertThat(outcome("ALTER ROLE several_role CONNECTION LIMIT 1")).isEqualTo("ALTER ROLE T");
            younger.run("BEGIN");
            younger.run(update(1));
            younger.query("ALTER ROLE several_role CONNECTION LIMIT 2").flushOut();
            waits(0);
            client.query(update(1)).flushOut();
            assertThat(outcome(younger)).isEqualTo("40P01 E");
            assertThat(outcome(younger.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
            assertThat(outcome(client)).isEqualTo("UPDATE 1 T");
            assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        }
    }

    /** Connections go from session to session, so what a proxy has told of them is looked at twice, as waits are. */
    @Test
    void endsNothingWhoseConnectionsAreAnothersByNow() {
        AtomicInteger asked = new AtomicInteger();
        List<LockWaiter> failed = new CopyOnWriteArrayList<>();
        Vertx vertx = Vertx.vertx();
        try (RawClient one1 = direct("worker1");
                RawClient one2 = direct("worker2");
                RawClient other1 = direct("worker1");
                RawClient other2 = direct("worker2")) {
            one1.succeed("BEGIN; " + update(1));
            other2.succeed("BEGIN; " + update(2));
            one2.query(update(2)).flushOut();
            waits(2);
            other1.query(update(1)).flushOut();
            waits(1);
            List<LockWaiter> both = List.of(waiter(1, one1, one2), waiter(2, other1, other2));
            LockWaiters told = new LockWaiters() {
                @Override
                public CompletableFuture<List<LockWaiter>> waiting(Duration atLeast) {
                    boolean first = asked.getAndIncrement() % 2 == 0;
                    return CompletableFuture.completedFuture(first ? both : both.subList(0, 1));
                }

                @Override
                public void fail(LockWaiter victim) {
                    failed.add(victim);
                }
            };
            CoordinatorAddress address =
                    CoordinatorAddress.parse(cluster.coordinator().url());
            try (DeadlockDetector detector =
                    new DeadlockDetector(vertx, cluster.tenantry().catalog(), address, told)) {
                detector.start();
                Eventually.holds("it has looked twice", () -> asked.get() >= 4);
                assertThat(failed).isEmpty();
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    private Node node(String name) {
        return cluster.tenantry().catalog().current().nodeNamed(name).orElseThrow();
    }

    private RawClient direct(String name) {
        return SuperuserLogin.at(node(name).host(), node(name).port(), Map.of());
    }

    private LockWaiter waiter(long id, RawClient on1, RawClient on2) {
        return new LockWaiter(
                id,
                Instant.now(),
                id,
                List.of(
                        new LockWaiter.NodeProcess(node("worker1").nodeId(), on1.processId()),
                        new LockWaiter.NodeProcess(node("worker2").nodeId(), on2.processId())));
    }

    @Test
    void keepsOneConnectionToANodeWhoseSizeChanges() throws SQLException {
        try (RawClient other = login()) {
            begin(client, 1);
            begin(other, 2);
            other.query(update(1)).flushOut();
            waits(1);
            String looked = "";
            for (int gigabytes = 1; gigabytes <= 4; gigabytes++) {
                direct(
                        0,
                        "WITH sized AS (INSERT INTO tenantry.node_size (nodeid, bytes) SELECT nodeid, " + gigabytes
                                + " * 1000000000::bigint FROM tenantry.node"
                                + " ON CONFLICT (nodeid) DO UPDATE SET bytes = excluded.bytes)"
                                + " SELECT coalesce(tenantry.catalog_changed()::text, '')");
                cluster.tenantry().catalog().refresh();
                String before = looked;
                Eventually.passes(() -> assertThat(lastLook()).isGreaterThan(before));
                looked = lastLook();
            }
            assertThat(direct(1, "SELECT count(*) " + LOOKS)).isEqualTo("1");
            client.run("ROLLBACK");
            assertThat(outcome(other)).isEqualTo("UPDATE 1 T");
        }
    }

    private String lastLook() throws SQLException {
        return direct(1, "SELECT coalesce(max(query_start)::text, '') " + LOOKS);
    }

    private void deadlock(RawClient one, RawClient other) throws SQLException {
        begin(one, 1);
        begin(other, 2);
        one.query(update(2)).flushOut();
        waits(2);
        other.query(update(1)).flushOut();
        resolved(one, other);
    }

    private static void begin(RawClient client, int schema) {
        client.run("BEGIN");
        client.run("SELECT FROM several_" + (3 - schema) + ".t LIMIT 0"); // both nodes are in it
        assertThat(outcome(client.query(update(schema)))).isEqualTo("UPDATE 1 T");
    }

    private static String update(int schema) {
        return "UPDATE several_" + schema + ".t SET id = id + 1";
    }

    private void waits(int worker) {
        Eventually.holds(
                "somebody waits on worker " + worker,
                () -> direct(worker, "SELECT count(*) FROM pg_locks WHERE NOT granted")
                        .equals("1"));
    }

    /** One is told 40P01; its locks are gone then, and the other one goes on. */
    private static void resolved(RawClient one, RawClient other) {
        Eventually.holds("one has an answer", () -> one.hasInput() || other.hasInput());
        RawClient victim = one.hasInput() ? one : other;
        RawClient winner = victim == one ? other : one;
        List<Message> answer = victim.readUntilReady();
        Message error = Message.only(answer, 'E');
        assertThat(error.sqlState()).isEqualTo("40P01");
        assertThat(error.errorMessage()).isEqualTo("deadlock detected");
        assertThat(answer.getLast().text()).isEqualTo("E");
        assertThat(outcome(victim.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
        assertThat(outcome(winner)).isEqualTo("UPDATE 1 T");
        assertThat(outcome(winner.query("COMMIT"))).isEqualTo("COMMIT I");
        assertThat(outcome(victim.query("SELECT id FROM several_1.t"))).isEqualTo("SELECT 1 I");
    }
}
