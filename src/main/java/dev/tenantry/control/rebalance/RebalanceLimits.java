package dev.tenantry.control.rebalance;

import dev.tenantry.control.rebalance.plan.AutomaticRebalance;
import java.time.Duration;
import java.util.Optional;

/**
 * When the cluster rebalances by itself.
 *
 * @param automatic when; empty for never
 * @param interval how often nodes are looked at for that
 */
public record RebalanceLimits(Optional<AutomaticRebalance.Limits> automatic, Duration interval) {

    /** What is used when nothing is configured. */
    public static final RebalanceLimits DEFAULT = new RebalanceLimits(Optional.empty(), Duration.ofMinutes(1));
}
