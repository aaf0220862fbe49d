package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.FakeNode;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Nodes that play a script, behind a proxy; and the moments at which script and client wait for each other. */
abstract class ScriptedNodes {
    static final ProxyLimits LIMITS = ProxyLimits.forCores(1).withPool(PoolLimits.NONE);
    static final int PROCESS_ID = 1234;
    static final int SECRET_KEY = 5678;

    /** The script has come so far. */
    final CountDownLatch reached = new CountDownLatch(1);

    /** A cancel request has come to the node. */
    final CountDownLatch cancelled = new CountDownLatch(1);

    final AtomicInteger connections = new AtomicInteger();

    /** A node that plays this on every connection, once it has let the proxy in. */
    static FakeNode node(FakeNode.Script script) {
        return FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            script.play(peer);
        });
    }

    /** A node whose second connection brings a cancel request. */
    final FakeNode cancellable(FakeNode.Script script) {
        return FakeNode.start(peer -> {
            if (connections.getAndIncrement() == 0) {
                peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
                script.play(peer);
            } else {
                readCancel(peer);
            }
        });
    }

    final void readCancel(FakeNode.Peer peer) throws IOException {
        peer.readCancel(PROCESS_ID, SECRET_KEY);
        cancelled.countDown();
    }

    static FakeNode untouched() {
        return FakeNode.start(peer -> {
            throw new AssertionError("the second node was needed");
        });
    }

    /** Answers a statement that begins like this with these words as its tag. */
    static void answer(FakeNode.Peer peer, String sql, char status) throws IOException {
        expect(peer, sql);
        done(peer, sql, status);
    }

    static void expect(FakeNode.Peer peer, String sql) throws IOException {
        assertThat(peer.expect('Q').strings().getFirst()).startsWith(sql);
    }

    static void done(FakeNode.Peer peer, String tag, char status) throws IOException {
        peer.complete(tag);
        peer.ready(status);
    }

    static void cancel(ProxyBefore proxy, RawClient victim) {
        try (RawClient canceller = proxy.connect()) {
            canceller.requestCancel(victim.processId(), victim.secretKey());
            assertThat(canceller.readToEnd()).isEmpty();
        }
    }

    static void leave(RawClient client) {
        client.terminate().flushOut();
        assertThat(client.readToEnd()).isEmpty();
    }

    static void await(CountDownLatch latch) {
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
