package dev.tenantry.control;

import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.store.FeedLimits;

/**
 * How often the control plane looks and how long it waits.
 *
 * @param feed when it follows the catalog
 * @param upkeep when it looks after the cluster
 * @param moves what moves of schemas may take
 */
public record ControlLimits(FeedLimits feed, UpkeepLimits upkeep, MoveLimits moves) {

    /** What is used when nothing is configured. */
    public static final ControlLimits DEFAULT =
            new ControlLimits(FeedLimits.DEFAULT, UpkeepLimits.DEFAULT, MoveLimits.DEFAULT);
}
