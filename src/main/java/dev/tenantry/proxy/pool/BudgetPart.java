package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.pool.NodeBudget.Claim;
import java.util.function.Consumer;

/**
 * What an event loop has of the budget of a node. A place is taken, then used by a connection that begins, and given
 * back when that has ended; places that nobody uses are given back by {@link #settle}. Lives on its event loop.
 */
final class BudgetPart {
    private final NodeBudget budget;
    private final NodeBudget.Part part;
    private final Runnable serve;
    private int spare;
    private boolean wants;
    private boolean wantsUrgently;
    private Claim claim = Claim.NONE;

    /**
     * Takes part.
     *
     * @param loop runs what it is told by other threads, on the event loop, in order
     * @param serve to be run when there is a place more, or others may want a connection
     */
    BudgetPart(NodeBudget budget, Consumer<Runnable> loop, Runnable serve) {
        this.budget = budget;
        this.serve = serve;
        this.part = budget.join(() -> loop.accept(this::granted), wanted -> loop.accept(() -> asked(wanted)));
    }

    private void granted() {
        wants = false;
        spare++;
        serve.run();
    }

    private void asked(Claim wanted) {
        claim = wanted.compareTo(claim) > 0 ? wanted : claim; // it may have asked since
        serve.run();
    }

    /** Whether there is a place for one more, now. A plain read when all are taken. */
    boolean hasPlace(boolean urgent) {
        if (spare == 0 && budget.seemsFree(urgent) && budget.acquire(part, urgent, false)) {
            wants = false;
            spare++;
        }
        return spare > 0;
    }

    /** The same; if there is none, it comes as soon as it may, and others are asked for it. */
    boolean wantsPlace(boolean urgent) {
        if (spare == 0 && !(wants && urgent == wantsUrgently)) {
            wants = !budget.acquire(part, urgent, true);
            wantsUrgently = urgent;
            spare += wants ? 0 : 1;
        }
        return spare > 0;
    }

    /** A connection begins in a place that {@link #hasPlace} has told of. */
    void use() {
        if (spare == 0) {
            throw new IllegalStateException("a connection without a place: " + budget);
        }
        spare--;
    }

    /** A connection has ended; whether it was given up for others. */
    void ended(boolean given) {
        budget.release(part, given);
    }

    /** Whether nothing is to be done at once but what sessions of this loop wait for. A few plain reads. */
    boolean isSettled() {
        return claim != Claim.NEXT && !wants && spare == 0;
    }

    /** Gives back what nobody needs. */
    void settle(boolean waits) {
        if (waits) {
            return;
        }
        for (; spare > 0; spare--) {
            budget.release(part, false);
        }
        if (wants) {
            wants = false;
            budget.withdraw(part);
        }
    }

    /** What other loops wanted when this one has asked last; it is told when they want more. */
    Claim lastClaim() {
        return claim;
    }

    /** What they want now. */
    Claim claim() {
        claim = budget.claim(part);
        return claim;
    }

    /** A connection is being ended for them. */
    void gives() {
        budget.gives(part);
    }
}
