package dev.tenantry.proxy.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How many connections to one node the event loops of a proxy may have together, and whose turn it is when that is not
 * enough. A loop may have what is free. When nothing is, others are asked to give one up:
 *
 * <ul>
 *   <li>the next that nobody is at work on, even if sessions of their own wait for it, while the loop that wants one
 *       has none at all, or two less than they, or a transaction that holds connections elsewhere
 *   <li>else only one that has not been used for a while, which nobody there waits for
 * </ul>
 *
 * <p>A place that becomes free is given to a loop that wants one, first to transactions, then to the loop with the
 * fewest, then to the one that has waited longest: nobody can snatch it, and no call to wake up is lost. Safe from any
 * thread; touched only when a connection begins or ends, or somebody waits for one.
 */
final class NodeBudget {
    private final int sizeMax;
    private final int reserve;
    private final List<Part> parts = new ArrayList<>();
    private int total;
    private volatile int totalSeen;
    private int leaving;
    private long turns;

    /** For so many connections, and half as many more for transactions that hold others already. */
    NodeBudget(int sizeMax) {
        this.sizeMax = sizeMax;
        this.reserve = (sizeMax + 1) / 2;
    }

    /** What others want of a loop. */
    enum Claim {
        /** Nothing. */
        NONE,
        /** A connection that is not used. */
        UNUSED,
        /** The next connection that nobody is at work on. */
        NEXT
    }

    /** One event loop, as the budget sees it; guarded by the budget. */
    static final class Part {
        private final Runnable granted;
        private final Consumer<Claim> asked;
        private int open;
        private int leaving;
        private boolean wants;
        private boolean urgent;
        private Claim told = Claim.NONE;
        private long turn;

        private Part(Runnable granted, Consumer<Claim> asked) {
            this.granted = granted;
            this.asked = asked;
        }

        private int staying() {
            return open - leaving;
        }
    }

    /**
     * A loop takes part.
     *
     * @param granted told, on any thread, that it may have one more connection, which it has wanted before
     * @param asked told, on any thread, that others want more of it than when it was told last
     */
    synchronized Part join(Runnable granted, Consumer<Claim> asked) {
        Part part = new Part(granted, asked);
        parts.add(part);
        return part;
    }

    /** Whether a place seems to be free; does not wait for other threads. */
    boolean seemsFree(boolean urgent) {
        return totalSeen < sizeMax + (urgent ? reserve : 0);
    }

    /**
     * A loop wants one more connection.
     *
     * @param urgent whether for a transaction that holds others
     * @param waits whether it wants it also when there is none now; it is told when it may have it
     * @return whether it may have it at once
     */
    boolean acquire(Part part, boolean urgent, boolean waits) {
        List<Runnable> calls = new ArrayList<>();
        boolean free;
        synchronized (this) {
            free = seemsFree(urgent);
            if (free) {
                occupy(part);
            } else if (waits) {
                part.turn = part.wants ? part.turn : turns++;
                part.wants = true;
                part.urgent = urgent;
            }
            ask(calls);
        }
        calls.forEach(Runnable::run);
        return free;
    }

    /** It wants none any more. */
    synchronized void withdraw(Part part) {
        part.wants = false;
    }

    /**
     * A connection of a loop has ended, or what was granted is not needed.
     *
     * @param given whether it is one of those that {@link #gives} has told of
     */
    void release(Part part, boolean given) {
        List<Runnable> calls = new ArrayList<>();
        synchronized (this) {
            totalSeen = --total;
            part.open--;
            if (given) {
                part.leaving--;
                leaving--;
            }
            Part next = next();
            if (next != null) { // one at most: before this, nobody waited for what was free
                occupy(next);
                calls.add(next.granted);
            }
            ask(calls);
        }
        calls.forEach(Runnable::run);
    }

    /** What others want of a loop now; it is told when that becomes more. */
    synchronized Claim claim(Part part) {
        Claim claim = isCovered() ? Claim.NONE : wanted(part);
        part.told = claim;
        return claim;
    }

    /** A loop ends a connection for others. */
    synchronized void gives(Part part) {
        part.leaving++;
        leaving++;
    }

    private void occupy(Part part) {
        totalSeen = ++total;
        part.open++;
        part.wants = false;
    }

    private @Nullable Part next() {
        Part best = null;
        for (Part part : parts) {
            boolean may = part.wants && seemsFree(part.urgent);
            if (may && (best == null || isBefore(part, best))) {
                best = part;
            }
        }
        return best;
    }

    /** Whose turn comes first. An urgent one meets its like only: while it waits, all that others may have is taken. */
    private static boolean isBefore(Part one, Part other) {
        return one.open != other.open ? one.open < other.open : one.turn < other.turn;
    }

    /** Whether as many are about to end as are wanted. */
    private boolean isCovered() {
        return parts.stream().filter(part -> part.wants).count() <= leaving;
    }

    private void ask(List<Runnable> calls) {
        if (isCovered()) {
            return;
        }
        for (Part part : parts) {
            Claim claim = wanted(part);
            if (claim.compareTo(part.told) > 0) {
                part.told = claim;
                calls.add(() -> part.asked.accept(claim));
            }
        }
    }

    private Claim wanted(Part of) {
        Claim strongest = Claim.NONE;
        for (Part part : parts) {
            if (part != of && part.wants && of.staying() > 0) {
                boolean next = part.urgent || part.open == 0 || of.staying() >= part.open + 2;
                strongest = next || strongest == Claim.NEXT ? Claim.NEXT : Claim.UNUSED;
            }
        }
        return strongest;
    }

    @Override
    public synchronized String toString() {
        StringBuilder text = new StringBuilder(total + " of " + sizeMax + ", " + leaving + " leaving:");
        parts.forEach(part -> text.append(' ')
                .append(part.open)
                .append(part.wants ? part.urgent ? "!" : "+" : "")
                .append(part.told == Claim.NONE ? "" : "?"));
        return text.toString();
    }
}
