package dev.tenantry.check;

import dev.tenantry.client.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/** What became of each transfer as its client knows it, and how long clients waited. Safe from any thread. */
final class TransferLog {

    /** What a client knows. */
    enum Fate {
        /** It was told that it is committed. */
        ACKNOWLEDGED,
        /** It was told that it is not, or never asked for it. */
        FAILED,
        /** It never heard. */
        IN_DOUBT
    }

    /**
     * A transfer that has come to an end.
     *
     * @param how what its client heard last
     * @param at when
     */
    record Ended(Transfer transfer, Fate fate, String how, Instant at) {
        @Override
        public String toString() {
            return "transfer " + transfer + ", " + fate + " at " + at + " by " + how;
        }
    }

    /** How long a client waited, and until when. */
    private record Wait(Duration lasted, Instant until) {
        static final Wait NONE = new Wait(Duration.ZERO, Instant.EPOCH);
    }

    private final ConcurrentLinkedQueue<Ended> ended = new ConcurrentLinkedQueue<>();
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder inDoubt = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder totals = new LongAdder();
    private final LongAdder losses = new LongAdder();
    private final LongAdder conflicts = new LongAdder();
    private final LongAdder crowds = new LongAdder();
    private final Map<String, LongAdder> kills = new ConcurrentSkipListMap<>();
    private final AtomicReference<Wait> longest = new AtomicReference<>(Wait.NONE);

    void ended(Transfer transfer, Fate fate, String how) {
        ended.add(new Ended(transfer, fate, how, Instant.now()));
        (switch (fate) {
                    case ACKNOWLEDGED -> acknowledged;
                    case FAILED -> failed;
                    case IN_DOUBT -> inDoubt;
                })
                .increment();
    }

    void read() {
        reads.increment();
    }

    void total() {
        totals.increment();
    }

    /** Something was killed. */
    void killed(String what) {
        kills.computeIfAbsent(what, first -> new LongAdder()).increment();
    }

    /** The way to the cluster was lost. */
    void lost() {
        losses.increment();
    }

    /** The answer to a statement that is to be said again. */
    void excused(Answer answer) {
        (answer.isLoss() ? losses : answer.isCrowded() ? crowds : conflicts).increment();
    }

    /** A client has got what it wanted after so long, with all attempts. */
    void waited(Duration lasted) {
        Wait wait = new Wait(lasted, Instant.now());
        longest.accumulateAndGet(wait, (one, other) -> one.lasted().compareTo(other.lasted()) < 0 ? other : one);
    }

    /** All that have ended. */
    List<Ended> all() {
        return new ArrayList<>(ended);
    }

    @Override
    public String toString() {
        Wait wait = longest.get();
        return "acknowledged=" + acknowledged + " failed=" + failed + " in-doubt=" + inDoubt + " reads=" + reads
                + " totals=" + totals + " lost=" + losses + " conflicts=" + conflicts + " no-room=" + crowds
                + " killed=" + kills
                + " longest-wait-ms=" + wait.lasted().toMillis() + " (until " + wait.until() + ")";
    }
}
