package dev.tenantry.check;

import java.util.concurrent.atomic.LongAdder;

/** What a check has done so far. Safe from any thread. */
final class CheckCounts {
    private final LongAdder turns = new LongAdder();
    private final LongAdder losses = new LongAdder();
    private final LongAdder crowds = new LongAdder();
    private final LongAdder kills = new LongAdder();

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

    long turns() {
        return turns.sum();
    }

    long kills() {
        return kills.sum();
    }

    @Override
    public String toString() {
        return "turns=" + turns + " killed=" + kills + " lost=" + losses + " no-room=" + crowds;
    }
}
