package dev.tenantry.store;

import java.time.Duration;

/**
 * How long the catalog feed waits.
 *
 * @param pollInterval between two looks at the catalog when nobody notifies
 * @param answerMax for the coordinator to answer one statement or to accept a connection
 * @param reconnectPauseMax between two attempts to reach a coordinator that is away
 */
public record FeedLimits(Duration pollInterval, Duration answerMax, Duration reconnectPauseMax) {

    /** What is used when nothing is configured. */
    public static final FeedLimits DEFAULT =
            new FeedLimits(Duration.ofSeconds(2), Duration.ofSeconds(10), Duration.ofSeconds(5));
}
