package dev.tenantry.proxy.dispatch;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * The sessions of one proxy that wait for the end of a pause. They go on in the order in which they came, as far as
 * they share an event loop. Safe from any thread.
 */
public final class PauseWaits {
    private final CatalogFeed feed;
    private final long limitMillis;
    private final ProxyMetrics metrics;
    private final Queue<Waiter> waiters = new ConcurrentLinkedQueue<>();

    private record Waiter(Pause pause, EventLoop loop, CompletableFuture<Boolean> over) {
        void goOn() {
            loop.execute(() -> over.complete(Boolean.TRUE));
        }
    }

    /** Nobody waits yet; somebody must tell of {@linkplain #changed() changes}. */
    public PauseWaits(CatalogFeed feed, long limitMillis, ProxyMetrics metrics) {
        this.feed = feed;
        this.limitMillis = limitMillis;
        this.metrics = metrics;
    }

    /** Until when who begins to wait now may do so; as {@link System#nanoTime} has it. */
    long end() {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMillis);
    }

    /**
     * A session of that loop begins to wait.
     *
     * @param end as {@link #end} has it
     * @return completes on the loop when the pause is over, or with the error that the client is told when it lasts too
     *     long; whoever gives up completes it
     */
    CompletableFuture<Boolean> begin(Pause pause, long end, EventLoop loop) {
        CompletableFuture<Boolean> over = new CompletableFuture<>();
        Waiter waiter = new Waiter(pause, loop, over);
        ScheduledFuture<?> limit = loop.schedule(
                () -> over.completeExceptionally(new SqlErrorException(tooLong(pause))),
                end - System.nanoTime(),
                TimeUnit.NANOSECONDS);
        waiters.add(waiter);
        metrics.waiting(1);
        over.whenComplete((done, problem) -> {
            waiters.remove(waiter);
            metrics.waiting(-1);
            limit.cancel(false);
        });
        if (isOver(waiter, feed.current().pauses())) {
            waiter.goOn(); // nobody may have seen it in the queue
        }
        return over;
    }

    /** The catalog has changed: those whose pause is over go on. */
    public void changed() {
        Pauses pauses = feed.current().pauses();
        for (Waiter waiter : waiters) {
            if (isOver(waiter, pauses)) {
                waiter.goOn();
            }
        }
    }

    private static boolean isOver(Waiter waiter, Pauses pauses) {
        return pauses == Pauses.NONE || !pauses.contains(waiter.pause());
    }

    private SqlError tooLong(Pause pause) {
        String what = switch (pause) {
            case Pause.OfSchema(long _, String name, Pause.Held _) -> "schema \"" + name + "\"";
            case Pause.OfNode(long _, int nodeId) -> "node \"" + name(nodeId) + "\"";
        };
        return SqlError.error("55P03", what + " is paused")
                .withDetail("The statement has waited for " + limitMillis
                        + " ms, tenantry.proxy.pause-wait-timeout-millis, and has not been run.")
                .withHint("Try again later. tenantry_pauses shows what is paused.");
    }

    private String name(int nodeId) {
        return feed.current().nodes().stream()
                .filter(node -> node.nodeId() == nodeId)
                .map(Node::name)
                .findFirst()
                .orElse(Integer.toString(nodeId));
    }
}
