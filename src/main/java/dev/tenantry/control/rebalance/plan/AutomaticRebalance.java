package dev.tenantry.control.rebalance.plan;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides when the cluster is to rebalance by itself: in its window, when the nodes have been uneven for a while and by
 * more than what a rebalance leaves, and not soon after the last rebalance. Remembers since when they are uneven; used
 * by one thread.
 */
public final class AutomaticRebalance {

    private final Limits limits;
    private @Nullable Instant unevenSince;

    /**
     * When.
     *
     * @param window when it may begin and go on
     * @param imbalance from which imbalance on; see {@link #imbalance}
     * @param patience how long nodes must have been that uneven
     * @param pause how long after the last rebalance
     */
    public record Limits(TimeWindow window, double imbalance, Duration patience, Duration pause) {}

    /** Starts with nodes that are even as far as it knows. */
    public AutomaticRebalance(Limits limits) {
        this.limits = limits;
    }

    /**
     * Whether it may begin at all now, so that it is worth to look how the nodes are. Where it may not, nobody looks,
     * and the wait begins anew.
     */
    public boolean mayBegin(Instant now, Optional<Instant> lastEnded) {
        boolean may = limits.window().contains(now)
                && lastEnded
                        .map(ended -> !ended.plus(limits.pause()).isAfter(now))
                        .orElse(true);
        if (!may) {
            forget();
        }
        return may;
    }

    /** Takes the nodes for even until the next look: they are others now, or nobody has looked for a while. */
    public void forget() {
        unevenSince = null;
    }

    /** Whether a rebalance that has begun by itself may go on. */
    public boolean mayGoOn(Instant now) {
        return limits.window().contains(now);
    }

    /** Whether it should begin, now that nodes are like this. */
    public boolean isDue(Instant now, List<NodeForecast> nodes) {
        if (imbalance(nodes) < limits.imbalance()) {
            forget();
            return false;
        }
        Instant since = unevenSince;
        if (since == null) {
            since = now;
            unevenSince = now;
        }
        return !since.plus(limits.patience()).isAfter(now);
    }

    /** How far a node that may hold schemas is from the average utilization at most, as a part of it. */
    public static double imbalance(List<NodeForecast> nodes) {
        List<NodeForecast> open =
                nodes.stream().filter(node -> node.node().capacity() > 0).toList();
        double cost = open.stream().mapToDouble(node -> node.before().cost()).sum();
        double capacity =
                open.stream().mapToDouble(node -> node.node().capacity()).sum();
        if (cost == 0) {
            return 0;
        }
        double average = cost / capacity;
        return open.stream()
                .mapToDouble(node -> Math.abs(node.before().cost() / node.node().capacity() / average - 1))
                .max()
                .orElse(0);
    }
}
