package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FakeNode;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.TestCertificate;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What becomes of a statement that waits for something when that fails, or when its client cancels it. */
class ScriptedNodesIT extends ScriptedNodes {

    @Test
    void tellsTheFailureOfAStepToTheStatementThatWaitedForIt() {
        FakeNode home = node(peer -> {
            if (connections.getAndIncrement() == 0) {
                peer.begins();
                answer(peer, "SHOW", 'T');
                peer.expect('Q'); // ROLLBACK: the block moves; but the node goes away
            } else {
                peer.expect('X');
            }
        });
        FakeNode other = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 1);
            any(peer, "SELECT 0", 'I');
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
            leave(client);
        }
    }

    @Test
    void tellsAtSyncThatTheBlockHasFailedThoughTheNodeHasNotSaidSo() {
        FakeNode home = node(peer -> {
            if (connections.getAndIncrement() > 0) {
                peer.expect('X');
                return;
            }
            peer.begins();
            peer.expectAll("PBES"); // the Sync is the proxy's: what comes next goes to another node
            peer.error("ERROR", "22012", "division by zero");
            await(reached);
            peer.ready('E');
            answer(peer, "ROLLBACK", 'I');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, untouched());
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

    /** What the node had executed is undone, so the rest of the batch must not be done elsewhere. */
    @Test
    void failsBatchWhoseNodeIsLostBetweenItsParts() {
        FakeNode home = node(peer -> {
            if (connections.getAndIncrement() == 0) {
                peer.expectAll("PBEH");
                peer.send('1', new MessageWriter());
                peer.send('2', new MessageWriter());
                peer.complete("INSERT 0 1");
                await(reached);
            } else {
                any(peer, "SELECT 1", 'I');
                peer.expect('X');
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            client.parse("", "INSERT INTO t VALUES (1)")
                    .bind("", "")
                    .execute("", 0)
                    .flush()
                    .flushOut();
            assertThat(Message.types(client.readUntil('C'))).isEqualTo("12C");
            reached.countDown(); // and the node goes away
            assertThat(client.readUntil('E').getLast().sqlState()).isEqualTo("08006");
            client.parse("", "INSERT INTO t VALUES (2)").bind("", "").execute("", 0);
            assertThat(Message.types(client.sync().readUntilReady())).isEqualTo("Z");
            assertThat(Message.types(client.run("SELECT 1"))).isEqualTo("CZ");
            leave(client);
        }
    }

    /** What was bound is gone; whoever runs it must hear why, and not that it never was there. */
    @Test
    void failsBatchWhoseNodeIsLostBehindBind() {
        FakeNode home = node(peer -> {
            if (connections.getAndIncrement() == 0) {
                peer.expectAll("PBH");
                peer.send('1', new MessageWriter());
                peer.send('2', new MessageWriter());
                await(reached);
            } else {
                any(peer, "SELECT 1", 'I');
                peer.expect('X');
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            client.parse("", "SELECT 2").bind("", "").flush().flushOut();
            assertThat(Message.types(client.readUntil('2'))).isEqualTo("12");
            reached.countDown(); // and the node goes away
            assertThat(client.readUntil('E').getLast().sqlState()).isEqualTo("08006");
            client.execute("", 0);
            assertThat(Message.types(client.sync().readUntilReady())).isEqualTo("Z");
            assertThat(Message.types(client.run("SELECT 1"))).isEqualTo("CZ");
            leave(client);
        }
    }

    /** The client owes that BEGIN to nobody, so the loss is told to what waits for the next node. */
    @Test
    void tellsOfANodeThatIsLostWhenItsPartOfABatchBecomesABlock() {
        FakeNode home = node(peer -> {
            peer.expectAll("PBEQ");
            peer.send('1', new MessageWriter());
            peer.send('2', new MessageWriter());
            peer.complete("INSERT 0 1"); // and goes away
        });
        FakeNode other = FakeNode.start(peer -> {});
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, other);
                RawClient client = proxy.login()) {
            client.parse("", "INSERT INTO t VALUES (1)").bind("", "").execute("", 0);
            client.parse("", "INSERT INTO s2.t VALUES (2)").bind("", "").execute("", 0);
            List<Message> answer = client.sync().readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("12CEZ");
            assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("08006");
            assertThat(Message.only(answer, 'Z').text()).isEqualTo("I");
            leave(client);
        }
    }

    @Test
    void preparesAgainWhatALostNodeHasNotConfirmed() {
        FakeNode home = node(peer -> {
            if (connections.getAndIncrement() == 0) {
                peer.expectAll("PDS"); // and goes away
            } else {
                peer.expectAll("PDS");
                peer.send('1', new MessageWriter());
                peer.send('n', new MessageWriter());
                peer.ready('I');
                peer.expect('X');
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            List<Message> lost = client.parse("s", "SELECT 1").sync().readUntilReady();
            assertThat(Message.only(lost, 'E').sqlState()).isEqualTo("08006");
            assertThat(Message.types(client.parse("s", "SELECT 1").sync().readUntilReady()))
                    .isEqualTo("1Z");
            leave(client);
        }
    }

    @Test
    void handsOnNoConnectionThatItsNodeDoesNotAnswerOn() {
        AtomicInteger left = new AtomicInteger();
        FakeNode node = FakeNode.start(peer -> {
            boolean first = connections.getAndIncrement() == 0;
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            any(peer, first ? "SELECT 1" : "SELECT 2", 'I');
            any(peer, "DISCARD ALL", 'I');
            any(peer, "SELECT 1", 'I');
            left.incrementAndGet();
            if (first) {
                peer.expect('Q'); // the question whether it is still there
                peer.expectEnd();
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(keepingOne(), node)) {
            for (String expected : List.of("SELECT 1", "SELECT 2")) {
                try (RawClient client = proxy.login()) {
                    assertThat(Message.only(client.run("SELECT"), 'C').strings())
                            .containsExactly(expected);
                    leave(client);
                }
            }
            Eventually.holds("both have been cleaned", () -> left.get() == 2);
        }
    }

    /** What the node has not said to have done by then, it may still do. */
    @Test
    void leavesToNoOtherSessionAConnectionThatACancelMayStillMeet() {
        FakeNode node = FakeNode.start(peer -> {
            switch (connections.getAndIncrement()) {
                case 0 -> {
                    peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
                    peer.expect('Q');
                    reached.countDown();
                    await(cancelled);
                    done(peer, "SELECT 1", 'I');
                    peer.expect('X');
                }
                case 1 -> {
                    readCancel(peer);
                    peer.awaitEnd();
                }
                default -> {
                    peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
                    any(peer, "SELECT 2", 'I');
                    peer.awaitEnd();
                }
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(keepingOne(), node)) {
            try (RawClient client = proxy.login()) {
                client.query("SELECT 1").flushOut();
                await(reached);
                cancel(proxy, client); // takes as long as a connection may take
                assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("SELECT 1");
                leave(client);
            }
            try (RawClient client = proxy.login()) {
                assertThat(Message.only(client.run("SELECT 2"), 'C').strings()).containsExactly("SELECT 2");
            }
        }
    }

    private static ProxyLimits keepingOne() {
        return new ProxyLimits(
                1,
                LIMITS.connectionsMax(),
                LIMITS.authenticationTimeoutMillis(),
                300,
                LIMITS.queryLengthMax(),
                LIMITS.statementCacheBytesMax(),
                LIMITS.pauseWaitTimeoutMillis(),
                new PoolLimits(1, 60_000, 60_000, 0, PoolLimits.Sharing.NONE));
    }

    @Test
    void goesOnAtOnceWhereTheNextNodesConnectionIsIdle() {
        FakeNode home = node(peer -> {
            any(peer, "DISCARD ALL", 'I');
            any(peer, "SELECT 1", 'I');
            any(peer, "SELECT 1", 'I');
        });
        FakeNode other = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 1);
            any(peer, "SELECT 2", 'I');
            any(peer, "DISCARD ALL", 'I');
            any(peer, "SELECT 1", 'I');
            any(peer, "SELECT 3", 'I');
        });
        ProxyLimits pooling = LIMITS.withPool(PoolLimits.keeping(1));
        try (ProxyBefore proxy = new ProxyBefore(pooling, home, other)) {
            try (RawClient first = proxy.login()) {
                first.run("SELECT FROM s2.t");
                leave(first);
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

    /** As many may be open as the node is to have, also when nobody waits any more for one that is not open yet. */
    @Test
    void keepsTheConnectionThatWasOpenedForWhoHasGivenUp() {
        CountDownLatch letIn = new CountDownLatch(1);
        FakeNode other = FakeNode.start(peer -> {
            assertThat(connections.getAndIncrement()).as("connections before").isZero();
            reached.countDown();
            await(letIn);
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            any(peer, "SELECT 2", 'I');
            any(peer, "SELECT 3", 'I');
        });
        PoolLimits one = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, 60_000, 100));
        try (ProxyBefore proxy = new ProxyBefore(LIMITS.withPool(one), answering(), other);
                RawClient client = proxy.login()) {
            try (RawClient gone = proxy.login()) {
                gone.query("SELECT FROM s2.t").flushOut();
                await(reached);
            }
            client.query("SELECT FROM s2.t").flushOut();
            proxy.login().close(); // on the same event loop, so that both have been seen
            cancel(proxy, client);
            assertCancelled(client.readUntilReady(), 'I'); // it has waited for its turn
            client.query("SELECT FROM s2.t").flushOut();
            letIn.countDown();
            assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("SELECT 2");
            assertThat(Message.only(client.run("SELECT FROM s2.t"), 'C').strings())
                    .containsExactly("SELECT 3");
        }
    }

    @Test
    void knowsNoSavepointAndNoStatementInABlockThatACancelHasKeptFromAllNodes() {
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, answering(), hanging());
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.query("SELECT FROM s2.t").flushOut();
            await(reached);
            cancel(proxy, client);
            assertCancelled(client.readUntilReady(), 'E');
            assertThat(Message.only(client.run("ROLLBACK TO s"), 'E').sqlState())
                    .isEqualTo("3B001");
            List<Message> bound = client.bind("", "unknown").sync().readUntilReady();
            assertThat(Message.only(bound, 'E').sqlState()).isEqualTo("26000");
            assertThat(Message.types(client.run("ROLLBACK"))).isEqualTo("CZ");
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
        FakeNode home = cancellable(peer -> {
            peer.begins();
            answer(peer, "SHOW", 'T');
            peer.expect('Q');
            reached.countDown();
            await(cancelled); // the request comes too late for this statement, which ends well
            done(peer, "SHOW", 'T');
            answer(peer, "ROLLBACK", 'I');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, untouched());
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
        FakeNode home = node(peer -> {
            peer.begins();
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
                readCancel(peer);
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
        return node(peer -> {
            any(peer, "SELECT 0", 'I');
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

    private static void any(FakeNode.Peer peer, String tag, char status) throws IOException {
        peer.expect('Q');
        peer.complete(tag);
        peer.ready(status);
    }

    private static void assertCancelled(List<Message> answer, char status) {
        assertThat(Message.types(answer)).isEqualTo("EZ");
        assertThat(answer.getFirst().sqlState()).isEqualTo("57014");
        assertThat(answer.getFirst().errorMessage()).isEqualTo("canceling statement due to user request");
        assertThat((char) answer.getLast().body()[0]).isEqualTo(status);
    }
}
