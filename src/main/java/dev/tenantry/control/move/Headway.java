package dev.tenantry.control.move;

import java.time.Duration;

/** Whether something that should become less does, in the long run. Not thread-safe. */
final class Headway {

    /** Becoming less by a part of this size is none, but chance. */
    private static final int PART = 10;

    private final Duration patience;
    private long least;
    private long since;
    private boolean begun;

    /**
     * Begins with the first note.
     *
     * @param patience for how long it may not become less
     */
    Headway(Duration patience) {
        this.patience = patience;
    }

    /**
     * Notes how much is left; false if it has been about as much for too long.
     *
     * @param nanos when, by a clock that never goes back
     */
    boolean note(long nanos, long rest) {
        if (!begun || rest < least - least / PART) {
            begun = true;
            least = rest;
            since = nanos;
        }
        return nanos - since <= patience.toNanos();
    }

    /** The least that there was. */
    long least() {
        return least;
    }

    /** Begins anew. */
    void reset() {
        begun = false;
    }
}
