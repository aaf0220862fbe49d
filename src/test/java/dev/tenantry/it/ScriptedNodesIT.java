package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.FakeNode;
import dev.tenantry.support.Message;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.TestCertificate;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What becomes of a statement that waits for something when that fails, or when its client cancels it. */
class ScriptedNodesIT {

    private static final ProxyLimits LIMITS = ProxyLimits.forCores(1).withPool(PoolLimits.NONE);
    private static final int PROCESS_ID = 1234;
    private static final int SECRET_KEY = 5678;

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private final AtomicInteger connections = new AtomicInteger();

    @Test
    void tellsTheFailureOfAStepToTheStatementThatWaitedForIt() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            if (connections.getAndIncrement() == 0) {
                answer(peer, "BEGIN", 'T');
                answer(peer, "SHOW", 'T');
                peer.expect('Q'); // ROLLBACK: the block moves; but the node goes away
            } else {
                peer.expect('X');
            }
        });
        FakeNode other = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 1);
            answer(peer, "SELECT 0", 'I');
            peer.expect('X');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, other);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.run("SHOW work_mem");
            List<Message> failed = client.run("SELECT FROM s2.t");
            assertThat(Message.types(failed)).isEqualTo("EZ");
            assertThat(failed.getFirst().sqlState()).isEqualTo("08006");
            assertThat((char) failed.getLast().body()[0]).isEqualTo('E');
            assertThat(Message.only(client.run("SELECT FROM s2.t"), 'E').sqlState())
                    .isEqualTo("25P02");
            assertThat(Message.types(client.run("ROLLBACK"))).isEqualTo("CZ");
            assertThat(Message.types(client.run("SELECT FROM s2.t"))).isEqualTo("CZ");
            client.terminate().flushOut();
            assertThat(client.readToEnd()).isEmpty();
        }
    }

    @Test
    void tellsAtSyncThatTheBlockHasFailedThoughTheNodeHasNotSaidSo() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            if (connections.getAndIncrement() > 0) {
                peer.expect('X');
                return;
            }
            answer(peer, "BEGIN", 'T');
            peer.expectAll("PBES"); // the Sync is the proxy's: what comes next goes to another node
            peer.error("ERROR", "22012", "division by zero");
            await(reached);
            peer.ready('E');
            answer(peer, "ROLLBACK", 'I');
        });
        FakeNode other = FakeNode.start(peer -> {
            throw new AssertionError("the batch went on behind its error");
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, other);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.parse("", "SELECT 1/0").bind("", "").execute("", 0);
            client.parse("", "SELECT FROM s2.t").bind("", "").execute("", 0).flushOut();
            assertThat(client.readUntil('E').getLast().sqlState()).isEqualTo("22012");
            client.sync().flushOut();
            proxy.login().close(); // on the same event loop, so that the Sync has been seen
            reached.countDown();
            assertThat(client.readUntilReady().getLast().text()).isEqualTo("E");
            client.run("ROLLBACK");
        }
    }

    @Test
    void handsOnNoConnectionThatItsNodeDoesNotAnswerOn() {
        FakeNode node = FakeNode.start(peer -> {
            boolean first = connections.getAndIncrement() == 0;
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            answer(peer, first ? "SELECT 1" : "SELECT 2", 'I');
            answer(peer, "DISCARD ALL", 'I');
            answer(peer, "SELECT 1", 'I');
            if (first) {
                peer.expect('Q'); // the question whether it is still there
                peer.expectEnd();
            }
        });
        ProxyLimits limits = new ProxyLimits(
                1,
                LIMITS.connectionsMax(),
                LIMITS.authenticationTimeoutMillis(),
                300,
                LIMITS.queryLengthMax(),
                LIMITS.statementCacheBytesMax(),
                LIMITS.pauseWaitTimeoutMillis(),
                new PoolLimits(1, 60_000, 60_000, 0, PoolLimits.Sharing.NONE));
        try (ProxyBefore proxy = new ProxyBefore(limits, node)) {
            for (String expected : List.of("SELECT 1", "SELECT 2")) {
                try (RawClient client = proxy.login()) {
                    assertThat(Message.only(client.run("SELECT"), 'C').strings())
                            .containsExactly(expected);
                    client.terminate().flushOut();
                    assertThat(client.readToEnd()).isEmpty();
                }
            }
        }
    }

    @Test
    void goesOnAtOnceWhereTheNextNodesConnectionIsIdle() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            answer(peer, "DISCARD ALL", 'I');
            answer(peer, "SELECT 1", 'I');
            answer(peer, "SELECT 1", 'I');
        });
        FakeNode other = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 1);
            answer(peer, "SELECT 2", 'I');
            answer(peer, "DISCARD ALL", 'I');
            answer(peer, "SELECT 1", 'I');
            answer(peer, "SELECT 3", 'I');
        });
        ProxyLimits pooling = LIMITS.withPool(PoolLimits.keeping(1));
        try (ProxyBefore proxy = new ProxyBefore(pooling, home, other)) {
            try (RawClient first = proxy.login()) {
                first.run("SELECT FROM s2.t");
                first.terminate().flushOut();
                assertThat(first.readToEnd()).isEmpty();
            }
            try (RawClient client = proxy.login()) {
                client.query("SELECT 1").query("SELECT FROM s2.t").flushOut();
                assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("SELECT 1");
                assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("SELECT 3");
            }
        }
    }

    @Test
    void cancelsQueryWhoseNodeIsBeingOpened() {
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, answering(), hanging());
                RawClient client = proxy.login()) {
            client.query("SELECT FROM s2.t").flushOut();
            await(reached);
            cancel(proxy, client);
            assertCancelled(client.readUntilReady(), 'I');
            assertThat(Message.types(client.run("SELECT 1"))).isEqualTo("CZ");
        }
    }

    @Test
    void cancelsBatchWhoseNodeIsBeingOpened() {
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, answering(), hanging());
                RawClient client = proxy.login()) {
            client.parse("", "SELECT FROM s2.t")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .flushOut();
            await(reached);
            cancel(proxy, client);
            assertCancelled(client.readUntilReady(), 'I');
            assertThat(Message.types(client.run("SELECT 1"))).isEqualTo("CZ");
        }
    }

    @Test
    void cancelsStringBetweenItsStatements() {
        FakeNode home = FakeNode.start(peer -> {
            if (connections.getAndIncrement() == 0) {
                peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
                answer(peer, "BEGIN", 'T');
                answer(peer, "SHOW", 'T');
                peer.expect('Q');
                reached.countDown();
                await(cancelled); // the request comes too late for this statement, which ends well
                peer.complete("SHOW");
                peer.ready('T');
                answer(peer, "ROLLBACK", 'I');
            } else {
                peer.readCancel(PROCESS_ID, SECRET_KEY);
                cancelled.countDown();
            }
        });
        FakeNode other = FakeNode.start(peer -> {
            throw new AssertionError("the second statement has begun");
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, other);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.run("SHOW work_mem");
            client.query("SHOW lock_timeout; SELECT FROM s2.t").flushOut();
            await(reached);
            cancel(proxy, client);
            List<Message> answer = client.readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("CEZ");
            assertCancelled(answer.subList(1, 3), 'E');
            assertThat(Message.types(client.run("ROLLBACK"))).isEqualTo("CZ");
        }
    }

    @Test
    void cancelsStringWhoseNextNodeIsBeingOpened() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            answer(peer, "BEGIN", 'T');
            answer(peer, "SHOW", 'T');
            answer(peer, "SHOW", 'T');
            answer(peer, "ROLLBACK", 'I');
            peer.expect('X');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, hanging());
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.run("SHOW work_mem");
            client.query("SHOW lock_timeout; SELECT FROM s2.t").flushOut();
            await(reached);
            cancel(proxy, client);
            List<Message> answer = client.readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("CEZ");
            assertCancelled(answer.subList(1, 3), 'E');
            assertThat(Message.types(client.run("ROLLBACK"))).isEqualTo("CZ");
        }
    }

    @Test
    void cancelsOverTlsWhereTheSessionUsesIt() {
        TestCertificate certificate = TestCertificate.create();
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTls(certificate);
            if (connections.getAndIncrement() == 0) {
                peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
                peer.expect('Q');
                reached.countDown();
                await(cancelled);
                peer.error("ERROR", "57014", "canceling statement due to user request");
                peer.ready('I');
                peer.expect('X');
            } else {
                peer.readCancel(PROCESS_ID, SECRET_KEY);
                cancelled.countDown();
            }
        });
        TlsSettings tls = new TlsSettings(
                TlsSettings.ClientMode.DISABLE,
                Optional.empty(),
                Optional.empty(),
                TlsSettings.NodeMode.REQUIRE,
                Optional.empty());
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, tls, node);
                RawClient client = proxy.login()) {
            client.query("SELECT 1").flushOut();
            await(reached);
            cancel(proxy, client);
            assertCancelled(client.readUntilReady(), 'I');
        }
    }

    private static FakeNode answering() {
        return FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            answer(peer, "SELECT 0", 'I');
        });
    }

    /** A node that never lets anybody in, and to which nobody must hold on. */
    private FakeNode hanging() {
        return FakeNode.start(peer -> {
            peer.readStartup();
            reached.countDown();
            peer.expectEnd();
        });
    }

    private static void answer(FakeNode.Peer peer, String tag, char status) throws IOException {
        peer.expect('Q');
        peer.complete(tag);
        peer.ready(status);
    }

    private static void cancel(ProxyBefore proxy, RawClient victim) {
        try (RawClient canceller = proxy.connect()) {
            canceller.requestCancel(victim.processId(), victim.secretKey());
            assertThat(canceller.readToEnd()).isEmpty();
        }
    }

    private static void assertCancelled(List<Message> answer, char status) {
        assertThat(Message.types(answer)).isEqualTo("EZ");
        assertThat(answer.getFirst().sqlState()).isEqualTo("57014");
        assertThat(answer.getFirst().errorMessage()).isEqualTo("canceling statement due to user request");
        assertThat((char) answer.getLast().body()[0]).isEqualTo(status);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(15, TimeUnit.SECONDS))
                    .as("it has come so far")
                    .isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
