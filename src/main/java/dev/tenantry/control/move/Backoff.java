package dev.tenantry.control.move;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** How long to wait before something is tried or looked at again: twice as long each time. Not thread-safe. */
final class Backoff {

    private final Duration min;
    private final Duration max;
    private Duration next;

    Backoff(Duration min, Duration max) {
        this.min = min;
        this.max = max;
        this.next = min;
    }

    /** The next one; those after it are longer. */
    Duration next() {
        Duration now = next;
        Duration longer = now.multipliedBy(2);
        next = longer.compareTo(max) < 0 ? longer : max;
        return now;
    }

    /** Whether those that come are no longer than this one. */
    boolean isLongest() {
        return next.equals(max);
    }

    /** Sleeps for the next one. */
    void sleep() throws InterruptedException {
        Thread.sleep(next());
    }

    /** Sleeps for the next one and up to half of it, so that two who disturb each other do not meet again. */
    void sleepUnevenly() throws InterruptedException {
        Duration now = next();
        Thread.sleep(now.plusMillis(ThreadLocalRandom.current().nextLong(1 + now.toMillis() / 2)));
    }

    /** Begins anew. */
    void reset() {
        next = min;
    }
}
