package dev.tenantry.control.rebalance;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What is asked of a rebalance.
 *
 * @param strategy name of a strategy, else the default one is used
 * @param threshold how far nodes may be from the average, as a part of it, else as the strategy says
 * @param improvement what a doubtful move must bring, else as the strategy says
 * @param drainOnly whether only nodes that are to hold nothing are emptied
 * @param mode how schemas are moved
 */
public record RebalanceOptions(
        Optional<String> strategy,
        OptionalDouble threshold,
        OptionalDouble improvement,
        boolean drainOnly,
        TransferMode mode) {

    /** What Citus does when nothing is said. */
    public static final RebalanceOptions DEFAULT = new RebalanceOptions(
            Optional.empty(), OptionalDouble.empty(), OptionalDouble.empty(), false, TransferMode.AUTO);

    /** Citus's {@code shard_transfer_mode}. */
    public enum TransferMode {
        AUTO,
        FORCE_LOGICAL,
        BLOCK_WRITES
    }
}
