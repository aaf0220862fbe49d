package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FakeNode;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A proxy that stops: whom it ends when, and what it waits for. */
class DrainIT extends SeveralNodes {

    private static final Duration LONG = Duration.ofMinutes(5);
    private static final int LIMIT_SECONDS = 30;

    private final CountDownLatch held = new CountDownLatch(1);
    private final CountDownLatch reached = new CountDownLatch(1);
    private final AtomicReference<Point> stopAt = new AtomicReference<>();
    private ProxyServer proxy;
    private RawClient idle;

    @BeforeEach
    void startProxy() throws IOException {
        proxy = cluster.anotherProxy(ProxyLimits.forCores(1), point -> {
            if (point == stopAt.get()) {
                reached.countDown();
                await(held);
            }
        });
        idle = loginAt(proxy);
    }

    @AfterEach
    void stopProxy() {
        held.countDown();
        proxy.close();
        idle.close();
    }

    private static RawClient loginAt(ProxyServer proxy) {
        return SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), Map.of());
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private CompletableFuture<Void> drain(Duration grace) {
        return CompletableFuture.runAsync(() -> proxy.drain(grace));
    }

    /** The idle client hears the end when the drain has begun. */
    private CompletableFuture<Void> drainBegun(Duration grace) {
        CompletableFuture<Void> drained = drain(grace);
        assertEnded(idle.readToEnd());
        return drained;
    }

    private static void assertEnded(List<Message> last) {
        assertThat(Message.types(last)).isEqualTo("E");
        assertThat(last.getFirst().fields()).containsEntry('S', "FATAL").containsEntry('C', "57P01");
        assertThat(last.getFirst().errorMessage()).isEqualTo("terminating connection due to administrator command");
    }

    private static void done(CompletableFuture<Void> drained) {
        drained.orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS).join();
    }

    /** Waits until a statement of this text waits for a lock on that worker. */
    private void awaitBlocked(int worker, String text) {
        Eventually.passes(() -> assertThat(direct(
                        worker,
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%" + text
                                + "%'"))
                .isEqualTo("1"));
    }

    @Test
    void endsIdleSessionsAtOnceAndClosesThePort() {
        int port = proxy.address().getPort();
        try (RawClient silent = RawClient.connect("127.0.0.1", port)) {
            idle.value("SELECT 1"); // on the same event loop, so that the other has been accepted
            done(drainBegun(LONG));
            Message refused = Message.only(silent.readToEnd(), 'E');
            assertThat(refused.sqlState()).isEqualTo("57P03");
            assertThat(refused.errorMessage()).isEqualTo("the database system is shutting down");
        }
        assertThatThrownBy(() -> RawClient.connect("127.0.0.1", port)).hasCauseInstanceOf(ConnectException.class);
    }

    @Test
    void letsTransactionsGoOnToTheirEnd() {
        try (RawClient working = loginAt(proxy)) {
            working.run("BEGIN");
            working.run("INSERT INTO several_1.t VALUES (1)");
            CompletableFuture<Void> drained = drainBegun(LONG);
            assertThat(outcome(working.query("INSERT INTO several_1.t VALUES (2)")))
                    .isEqualTo("INSERT 0 1 T");
            assertThat(outcome(working.query("SELECT 1 / 0"))).isEqualTo("22012 E");
            assertThat(outcome(working.query("ROLLBACK AND CHAIN"))).isEqualTo("ROLLBACK T");
            working.run("INSERT INTO several_1.t VALUES (3)");
            assertThat(drained).isNotDone();
            assertThat(outcome(working.query("COMMIT"))).isEqualTo("COMMIT I");
            assertEnded(working.readToEnd());
            done(drained);
        }
        assertThat(client.value("SELECT string_agg(id::text, ',') FROM several_1.t"))
                .isEqualTo("3");
    }

    @Test
    void letsStatementsAndBatchesGoOnToTheirEnd() {
        try (RawClient working = loginAt(proxy);
                RawClient batch = loginAt(proxy)) {
            client.run("BEGIN");
            client.run("LOCK TABLE several_1.t");
            working.query("INSERT INTO several_1.t VALUES (41)").flushOut();
            awaitBlocked(1, "(41)");
            batch.parse("", "INSERT INTO several_2.t VALUES (7)")
                    .bind("", "")
                    .execute("", 0)
                    .flush()
                    .flushOut();
            assertThat(batch.readUntil('C').getLast().strings()).containsExactly("INSERT 0 1");
            CompletableFuture<Void> drained = drainBegun(LONG);
            client.run("COMMIT");
            assertThat(outcome(working)).isEqualTo("INSERT 0 1 I");
            assertEnded(working.readToEnd());
            assertThat(drained).isNotDone();
            batch.sync();
            assertThat(outcome(batch)).isEqualTo(" I");
            assertEnded(batch.readToEnd());
            done(drained);
        }
        assertThat(rows(1)).isEqualTo("1");
        assertThat(rows(2)).isEqualTo("1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void cancelsWhatRunsWhenTheLimitPasses(boolean inBlock) {
        try (RawClient working = loginAt(proxy);
                RawClient open = loginAt(proxy)) {
            client.run("BEGIN");
            client.run("LOCK TABLE several_1.t");
            if (inBlock) {
                working.run("BEGIN");
            }
            working.query("INSERT INTO several_1.t VALUES (42)").flushOut();
            awaitBlocked(1, "(42)");
            open.run("BEGIN");
            open.run("INSERT INTO several_2.t VALUES (1)");
            CompletableFuture<Void> drained = drain(Duration.ofMillis(200));
            assertEnded(working.readToEnd());
            assertEnded(open.readToEnd());
            done(drained);
            Eventually.passes(
                    () -> assertThat(direct(1, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT%(42)'"))
                            .isEqualTo("0"));
            client.run("ROLLBACK");
        }
        assertThat(rows(1)).isEqualTo("0");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void endsWhoWaitsForAPauseWhenTheLimitPasses() {
        client.run("SELECT tenantry_pause_schema('several_1')");
        cluster.tenantry().catalog().refresh();
        try (RawClient working = loginAt(proxy)) {
            working.query("SELECT FROM several_1.t").flushOut();
            idle.value("SELECT 1"); // on the same event loop, so that the other has been seen
            CompletableFuture<Void> drained = drain(Duration.ofMillis(200));
            assertEnded(working.readToEnd());
            done(drained);
        } finally {
            client.run("SELECT tenantry_resume_schema('several_1')");
            cluster.tenantry().catalog().refresh();
        }
    }

    @Test
    void undoesSchemaDdlThatRunsWhenTheLimitPasses() {
        try (RawClient working = loginAt(proxy)) {
            client.run("BEGIN");
            client.run("LOCK TABLE several_1.t");
            working.query("DROP SCHEMA several_1 CASCADE").flushOut();
            awaitBlocked(1, "DROP SCHEMA");
            CompletableFuture<Void> drained = drain(Duration.ZERO);
            List<Message> last = working.readToEnd();
            assertThat(last.getLast().sqlState()).isEqualTo("57P01");
            assertThat(Message.types(last)).isEqualTo("EZE");
            done(drained);
            client.run("ROLLBACK");
        }
        assertThat(rows(1)).isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"BEFORE_PREPARE", "AFTER_PREPARE", "AFTER_DECISION"})
    void cutsNoCommitOverSeveralNodes(String point) throws Exception {
        try (RawClient working = loginAt(proxy)) {
            working.run("BEGIN");
            assertThat(outcome(working.query("CREATE SCHEMA several_3"))).isEqualTo("CREATE SCHEMA T");
            stopAt.set(Point.valueOf(point));
            working.query("COMMIT").flushOut();
            await(reached);
            CompletableFuture<Void> drained = drain(Duration.ZERO);
            assertEnded(idle.readToEnd());
            Eventually.passes(() -> assertThatThrownBy(
                            () -> RawClient.connect("127.0.0.1", proxy.address().getPort()))
                    .isInstanceOf(Exception.class));
            assertThat(drained).isNotDone();
            held.countDown();
            assertThat(outcome(working)).isEqualTo("COMMIT I");
            assertEnded(working.readToEnd());
            done(drained);
        }
        assertThat(direct(0, "SELECT count(*) FROM pg_prepared_xacts")).isEqualTo("0");
        assertThat(client.run("CREATE TABLE several_3.t ()")).noneMatch(message -> message.type() == 'E');
    }

    @Test
    void completesNoRowOfANodeWithWordsOfItsOwn() {
        byte[] row = new MessageWriter().int16(1).int32(60).bytes(new byte[60]).toMessage('D');
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch cancels = new CountDownLatch(2); // when the limit has passed, and when the session is cut off
        FakeNode node = FakeNode.start(peer -> {
            if (begun.getCount() == 0) {
                peer.readCancel(1, 2);
                cancels.countDown();
                return;
            }
            peer.acceptTrusting(1, 2);
            peer.expect('Q');
            begun.countDown();
            peer.describeRow("a");
            peer.raw(java.util.Arrays.copyOf(row, 20));
            peer.expectEnd();
        });
        try (ProxyBefore fake = new ProxyBefore(ProxyLimits.forCores(1), node);
                RawClient working = fake.login()) {
            working.query("SELECT a").flushOut();
            working.readUntil('T');
            assertThat(working.readHead('D')).isEqualTo(row.length - 5);
            fake.drain(Duration.ZERO);
            assertThat(working.readRawToEnd()).hasSize(15).containsOnlyOnce("\0\1");
            await(cancels); // who closes the proxy earlier may cut off the second one
        }
    }
}
