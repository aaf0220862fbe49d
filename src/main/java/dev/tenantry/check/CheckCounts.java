package dev.tenantry.check;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;

/** What a check has done so far. Safe from any thread. */
final class CheckCounts {
    private final LongAdder turns = new LongAdder();
    private final LongAdder losses = new LongAdder();
    private final LongAdder crowds = new LongAdder();
    private final LongAdder kills = new LongAdder();
    private final LongAccumulator waitNanosMax = new LongAccumulator(Math::max, 0);

    void turn() {
        turns.increment();
    }

    void lost() {
        losses.increment();
    }

    void crowded() {
        crowds.increment();
    }

    void killed() {
        kills.increment();
    }

    /** A client has waited that long for an answer. */
    void waited(long nanos) {
        waitNanosMax.accumulate(nanos);
    }

    long turns() {
        return turns.sum();
    }

    long kills() {
        return kills.sum();
    }

    @Override
    public String toString() {
        return "turns=" + turns + " killed=" + kills + " lost=" + losses + " no-room=" + crowds + " longest-wait-ms="
                + TimeUnit.NANOSECONDS.toMillis(waitNanosMax.get());
    }
}
