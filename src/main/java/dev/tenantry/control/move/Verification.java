package dev.tenantry.control.move;

import dev.tenantry.control.move.MoveLimits.Comparison;
import dev.tenantry.control.node.copy.RowComparison;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.move.MoveRow;
import java.time.Duration;
import java.util.List;

/**
 * Compares the rows of both sides as they are at one moment: the source's tables are locked against writers for the
 * instant in which the target becomes level and both sides fix what they see; the rows are counted after that, and
 * nobody waits for it. What is written later is applied in the same order on both sides.
 */
final class Verification {

    private static final Duration LOOK = Duration.ofMillis(2);
    private static final Duration PAUSE_MIN = Duration.ofMillis(100);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(5);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveRow move;
    private final CopyPlan plan;
    private final Following following;

    Verification(MoveServices services, MoveConnections connections, MoveRow move, CopyPlan plan, Following following) {
        this.services = services;
        this.connections = connections;
        this.move = move;
        this.plan = plan;
        this.following = following;
    }

    /** Returns when both sides are equal. */
    void run() throws InterruptedException {
        Comparison comparison = services.limits().comparison();
        if (comparison == Comparison.NONE || plan.published().isEmpty()) {
            return;
        }
        try (ServerConnection source = services.openPatient(connections.sourceAddress());
                ServerConnection target = services.openPatient(connections.targetAddress())) {
            Source locker = new Source(connections.anotherToSource(), connections.names());
            Duration pause = PAUSE_MIN;
            following.awaitNear();
            while (!fix(locker, source, target)) {
                connections.store().waitsFor(move, connections.source().users(plan.schema()));
                Thread.sleep(pause);
                following.awaitNear();
                pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
            }
            List<String> differences = RowComparison.differences(
                    source, target, plan.schema(), plan.published(), comparison == Comparison.CHECKSUMS);
            if (!differences.isEmpty()) {
                throw new CopyInvalidException(
                        "the copy of schema %s is not equal to it".formatted(plan.schema()),
                        String.join("; ", differences) + ".");
            }
        }
    }

    private boolean fix(Source locker, ServerConnection source, ServerConnection target) throws InterruptedException {
        Duration lockMax = services.limits().lockMax();
        long begun = System.nanoTime();
        if (!locker.lock(plan.schema(), plan.published(), "SHARE", lockMax)) {
            return false;
        }
        try {
            long mark = connections.source().mark();
            while (!connections.target().hasMark(mark)) {
                if (System.nanoTime() - begun > lockMax.toNanos()) {
                    return false;
                }
                Thread.sleep(LOOK);
            }
            RowComparison.fix(source);
            RowComparison.fix(target);
            return true;
        } finally {
            locker.rollback();
        }
    }
}
