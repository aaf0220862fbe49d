package dev.tenantry.control.move;

import dev.tenantry.control.move.MoveLimits.Comparison;
import dev.tenantry.control.node.copy.HeldMark;
import dev.tenantry.control.node.copy.RowComparison;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Compares the rows of both sides as they are at one moment: tables of the source are locked against writers for the
 * instant in which its side is fixed and a mark written; the target stops at that mark while its side is fixed. The
 * rows are compared after that, and nobody waits for it. What is written later is applied in the same order on both
 * sides.
 *
 * <p>As many tables as possible are locked together. Where writers take locks in another order, that might never
 * succeed, so the tables are divided until one is alone, for which nobody can be in a deadlock.
 */
final class Verification {

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
                ServerConnection target = services.openPatient(connections.targetAddress());
                Comparing comparing = new Comparing(services, connections, plan)) {
            Source locker = connections.locker();
            Deque<List<String>> groups = new ArrayDeque<>(List.of(plan.published()));
            List<String> differences = new ArrayList<>();
            Backoff backoff = new Backoff(PAUSE_MIN, PAUSE_MAX);
            while (!groups.isEmpty()) {
                List<String> group = groups.remove();
                following.awaitNear();
                if (fix(group, locker, source, target)) {
                    differences.addAll(comparing.differences(source, target, group));
                    RowComparison.release(source);
                    RowComparison.release(target);
                    backoff.reset();
                } else if (group.size() > 1) {
                    groups.push(group.subList(group.size() / 2, group.size()));
                    groups.push(group.subList(0, group.size() / 2));
                } else {
                    groups.add(group);
                    connections.store().waitsFor(move, connections.source().users(plan.schema()));
                    backoff.sleep();
                }
            }
            comparing.require(differences);
        }
    }

    /** Writers wait until the source's side is fixed, and go on while the target gets to the same moment. */
    private boolean fix(List<String> tables, Source locker, ServerConnection source, ServerConnection target)
            throws InterruptedException {
        long mark = connections.source().nextMark();
        Optional<HeldMark> held = HeldMark.hold(
                connections.target().connection(),
                connections.names(),
                mark,
                services.limits().lockMax());
        if (held.isEmpty()) {
            return false;
        }
        try (HeldMark stop = held.get()) {
            RowComparison.begin(source);
            RowComparison.begin(target);
            if (!fixSource(tables, locker, source, mark)) {
                RowComparison.release(source);
                RowComparison.release(target);
                return false;
            }
            services.observer().reached(MovePoint.COMPARING);
            connections.source().mark(); // which takes the other one to the disk, and so to the target
            following.awaitStop(stop);
            RowComparison.fix(target);
            return true;
        }
    }

    private boolean fixSource(List<String> tables, Source locker, ServerConnection source, long mark) {
        if (!locker.lock(plan.schema(), tables, "SHARE", services.limits().lockMax())) {
            return false;
        }
        boolean marked = false;
        try {
            RowComparison.fix(source);
            locker.commitWithMark(mark);
            marked = true;
        } catch (StatementRefusedException refused) {
            if (!refused.sqlState().equals(SqlStates.UNIQUE_VIOLATION)) {
                throw refused;
            }
            return false; // another proxy that has taken the move for its own writes marks too
        } finally {
            if (!marked) {
                locker.rollback();
            }
        }
        return true;
    }
}
