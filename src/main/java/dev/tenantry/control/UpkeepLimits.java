package dev.tenantry.control;

import java.time.Duration;

/**
 * How often the control plane looks after the cluster.
 *
 * @param interval between two looks for prepared transactions that were left behind
 * @param prepareAgeMin how long a prepared transaction is left to its proxy
 * @param measureInterval between two measurements of the nodes' sizes
 */
public record UpkeepLimits(Duration interval, Duration prepareAgeMin, Duration measureInterval) {

    /** What is used when nothing is configured. */
    public static final UpkeepLimits DEFAULT =
            new UpkeepLimits(Duration.ofSeconds(1), Duration.ofSeconds(5), Duration.ofSeconds(30));

    /** A round takes longer than that only when several nodes hang at once. */
    private static final Duration ROUND_MAX = Duration.ofSeconds(15);

    /** How long the proxy that does it may say nothing to the coordinator before another one may take over. */
    Duration silenceMax() {
        return interval.multipliedBy(5).plus(ROUND_MAX);
    }
}
