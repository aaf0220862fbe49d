package dev.tenantry.control.recovery;

import dev.tenantry.activity.LostCommits;
import dev.tenantry.activity.LostCommits.Lost;
import dev.tenantry.control.background.BackgroundLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finishes the transactions that the proxy of this process can't end, at once, whoever looks after the cluster: that
 * one would leave them to a proxy that is alive for a while. It looks several times, because a server may still be at
 * work for a connection that has ended; what is open then is found by the next look at the whole cluster. Runs on one
 * virtual thread; connected to nodes only when there is something to do.
 */
public final class LostCommitRecovery implements AutoCloseable {

    /** From one look for a transaction to the next. */
    private static final List<Duration> PAUSES = List.of(
            Duration.ofMillis(50),
            Duration.ofMillis(150),
            Duration.ofMillis(300),
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));

    private static final Duration IDLE_MAX = Duration.ofMinutes(1);

    private final PreparedTransactionRecovery recovery;
    private final LostCommits proxy;
    private final BackgroundLoop loop;
    private List<Open> open = List.of();

    private record Open(Lost lost, int looks, long dueNanos) {

        boolean isDue(long now) {
            return dueNanos - now <= 0;
        }

        Open looked(long now) {
            return new Open(lost, looks + 1, now + PAUSES.get(looks).toNanos());
        }
    }

    /** Makes one that does nothing until started; closes the recovery. */
    public LostCommitRecovery(PreparedTransactionRecovery recovery, LostCommits proxy) {
        this.recovery = recovery;
        this.proxy = proxy;
        this.loop = new BackgroundLoop("lost commits", PAUSES.getFirst(), this::serve, recovery::close);
    }

    /** Begins to take them. */
    public void start() {
        proxy.onLost(loop::wake);
        loop.start();
    }

    /** Stops it; returns when its connections have been closed, or it takes too long. */
    @Override
    public void close() {
        proxy.onLost(() -> {});
        loop.close();
    }

    private void serve(BackgroundLoop running) throws InterruptedException {
        while (!running.isClosed()) {
            look(System.nanoTime());
            if (open.isEmpty()) {
                recovery.close();
            }
            running.pause(untilNext(System.nanoTime()));
        }
    }

    /** Each look counts, also one that fails. */
    private void look(long now) {
        List<Open> known = new ArrayList<>(open);
        proxy.lost().forEach(lost -> known.add(new Open(lost, 0, now)));
        List<Lost> due = new ArrayList<>();
        List<Open> later = new ArrayList<>();
        for (Open one : known) {
            if (!one.isDue(now)) {
                later.add(one);
                continue;
            }
            due.add(one.lost());
            if (one.looks() < PAUSES.size()) {
                later.add(one.looked(now));
            }
        }
        open = later;
        if (!due.isEmpty()) {
            Set<Integer> nodeIds = new HashSet<>();
            due.forEach(lost -> nodeIds.addAll(lost.nodeIds()));
            recovery.finish(due.stream().map(Lost::gid).collect(Collectors.toSet()), nodeIds);
        }
    }

    private Duration untilNext(long now) {
        return open.stream()
                .map(one -> Duration.ofNanos(Math.max(0, one.dueNanos() - now)))
                .min(Duration::compareTo)
                .orElse(IDLE_MAX);
    }
}
