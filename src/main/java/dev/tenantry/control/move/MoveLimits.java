package dev.tenantry.control.move;

import java.time.Duration;

/**
 * What moves may take.
 *
 * @param cutOverMax how long clients of the schema may be made to wait by one attempt to cut over
 * @param lockMax how long the source's tables may be locked for, or writers kept waiting, outside the cut-over
 * @param catchUpMax for how long the target may come no nearer to the source
 * @param copyConnections how many connections to each of its nodes a move copies rows, and to its target builds
 *     indexes, over
 * @param perNode how many moves may use a node at a time, as source or target
 * @param keepSource how long the old copy is kept after the switch
 * @param comparison what is compared before the switch
 */
public record MoveLimits(
        Duration cutOverMax,
        Duration lockMax,
        Duration catchUpMax,
        int copyConnections,
        int perNode,
        Duration keepSource,
        Comparison comparison) {

    /** What is used when nothing is configured. */
    public static final MoveLimits DEFAULT = new MoveLimits(
            Duration.ofMillis(500),
            Duration.ofMillis(200),
            Duration.ofHours(1),
            2,
            2,
            Duration.ZERO,
            Comparison.CHECKSUMS);

    /** More than is ever copied in this time, by a process of this kind. */
    private static final long BYTES_PER_MILLI = 200_000;

    /** How many bytes can't be copied while clients wait. */
    long heldBytesMax() {
        return cutOverMax.toMillis() * BYTES_PER_MILLI;
    }

    /** How rows are compared before the switch; definitions are compared always. */
    public enum Comparison {
        /** Not at all. */
        NONE,
        /** How many rows each table has. */
        COUNTS,
        /** How many, and a checksum over all their values. */
        CHECKSUMS
    }
}
