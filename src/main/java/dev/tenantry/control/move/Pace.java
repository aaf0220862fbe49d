package dev.tenantry.control.move;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** How long something will take that becomes less, at the pace of the last seconds. Not thread-safe. */
final class Pace {

    private static final Duration REMEMBERED = Duration.ofSeconds(15);

    /** A pace that was seen for less than this is none. */
    private static final Duration SEEN_MIN = Duration.ofMillis(500);

    private static final int SAMPLES_MAX = 256;

    private final Deque<Sample> samples = new ArrayDeque<>();

    private record Sample(long nanos, long rest) {}

    /**
     * Notes how much is left.
     *
     * @param nanos when, by a clock that never goes back
     * @param rest in any unit
     */
    void note(long nanos, long rest) {
        samples.addLast(new Sample(nanos, rest));
        while (samples.size() > SAMPLES_MAX || nanos - samples.getFirst().nanos() > REMEMBERED.toNanos()) {
            samples.removeFirst();
        }
    }

    /** How long it will still take; empty if it has not become less, or was not looked at for long enough. */
    Optional<Duration> left() {
        if (samples.isEmpty()) {
            return Optional.empty();
        }
        Sample first = samples.getFirst();
        Sample last = samples.getLast();
        long nanos = last.nanos() - first.nanos();
        long done = first.rest() - last.rest();
        if (nanos < SEEN_MIN.toNanos() || done <= 0) {
            return Optional.empty();
        }
        return Optional.of(Duration.ofMillis(Math.round((double) last.rest() / done * nanos / 1e6)));
    }
}
