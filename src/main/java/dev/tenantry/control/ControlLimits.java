package dev.tenantry.control;

import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.control.rebalance.RebalanceLimits;
import dev.tenantry.store.FeedLimits;

/**
 * How often the control plane looks and how long it waits.
 *
 * @param feed when it follows the catalog
 * @param upkeep when it looks after the cluster
 * @param moves what moves of schemas may take
 * @param rebalances when the cluster rebalances by itself
 */
public record ControlLimits(FeedLimits feed, UpkeepLimits upkeep, MoveLimits moves, RebalanceLimits rebalances) {

    /** What is used when nothing is configured. */
    public static final ControlLimits DEFAULT =
            new ControlLimits(FeedLimits.DEFAULT, UpkeepLimits.DEFAULT, MoveLimits.DEFAULT, RebalanceLimits.DEFAULT);
}
