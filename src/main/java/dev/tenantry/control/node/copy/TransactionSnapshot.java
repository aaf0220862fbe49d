package dev.tenantry.control.node.copy;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Which transactions a snapshot sees; "Transaction ID and Snapshot Information Functions" in the manual.
 *
 * @param xmin all before it have ended
 * @param xmax it and all after it are not seen
 * @param running of those between, the ones that are not seen
 */
record TransactionSnapshot(long xmin, long xmax, Set<Long> running) {

    /** Reads the text of a {@code pg_snapshot}: {@code xmin:xmax:xip,xip...}. */
    static TransactionSnapshot parse(String text) {
        String[] parts = text.split(":", -1);
        Set<Long> running = parts[2].isEmpty()
                ? Set.of()
                : Arrays.stream(parts[2].split(",")).map(Long::valueOf).collect(Collectors.toUnmodifiableSet());
        return new TransactionSnapshot(Long.parseLong(parts[0]), Long.parseLong(parts[1]), running);
    }

    /** Whether a transaction that this one takes for ended has not, to the eyes of the other, ended. */
    boolean isAheadOf(TransactionSnapshot other) {
        return other.running().stream().anyMatch(this::takesForEnded)
                || LongStream.range(Math.max(other.xmax(), xmin), xmax).anyMatch(this::takesForEnded);
    }

    private boolean takesForEnded(long transaction) {
        return transaction < xmax && !running.contains(transaction);
    }
}
