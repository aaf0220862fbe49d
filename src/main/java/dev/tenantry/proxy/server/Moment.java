package dev.tenantry.proxy.server;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * A moment by both clocks, so that what was noted by the one can be shown by the other.
 *
 * @param time for people
 * @param nanos of {@link System#nanoTime()}
 */
record Moment(Instant time, long nanos) {

    static Moment now() {
        return new Moment(Instant.now(), System.nanoTime());
    }

    /** When that was, to the millisecond. */
    Instant before(long earlierNanos) {
        return time.minusNanos(nanos - earlierNanos).truncatedTo(ChronoUnit.MILLIS);
    }

    /** How long ago that was, ms. */
    long millisSince(long earlierNanos) {
        return (nanos - earlierNanos) / 1_000_000;
    }
}
