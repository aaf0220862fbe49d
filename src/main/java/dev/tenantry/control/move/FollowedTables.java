package dev.tenantry.control.move;

import dev.tenantry.blueprint.TableBlueprint;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import java.time.Duration;
import java.util.stream.Collectors;

/** Tables that the target follows: they are locked for the moment of the switch only. */
final class FollowedTables implements Fence {

    /** How often unlogged tables may prove too large for the time that there is. */
    private static final int COPIES_LATE_MAX = 3;

    private final MoveConnections connections;
    private final MoveRow move;
    private final CopyPlan plan;
    private final Following following;
    private final Source locker;
    private int copiesLate;

    FollowedTables(MoveConnections connections, MoveRow move, CopyPlan plan, Following following) {
        this.connections = connections;
        this.move = move;
        this.plan = plan;
        this.following = following;
        this.locker = connections.locker();
    }

    @Override
    public Source locker() {
        return locker;
    }

    @Override
    public boolean close(Duration max) {
        return locker.lock(plan.schema(), plan.writable(), "EXCLUSIVE", max);
    }

    @Override
    public boolean level(Duration max) throws InterruptedException {
        long begun = System.nanoTime();
        return copiedUnlogged(max) && following.awaitLevel(max.minusNanos(System.nanoTime() - begun));
    }

    @Override
    public void open() {
        locker.rollback();
    }

    @Override
    public void resume() {
        connections.store().resume(move);
    }

    /** Nothing tells of changes to unlogged tables, so they are copied when nobody can change them any more. */
    private boolean copiedUnlogged(Duration max) {
        if (plan.unlogged().isEmpty()) {
            return true;
        }
        try {
            if (connections.heldRows().copy(plan.schema(), plan.unloggedColumns(), max)) {
                return true;
            }
        } catch (StatementRefusedException refused) {
            throw CopyInvalidException.unlessOther(refused, plan.schema());
        }
        copiesLate++;
        if (copiesLate >= COPIES_LATE_MAX) {
            throw unloggedTooLarge(plan);
        }
        return false;
    }

    /** There is more in unlogged tables than can be copied while clients wait. */
    static MoveFailedException unloggedTooLarge(CopyPlan plan) {
        return new MoveFailedException(
                SqlStates.FEATURE_NOT_SUPPORTED,
                "schema %s cannot be moved because its unlogged tables are too large".formatted(plan.schema()),
                "Nothing tells of changes to %s, so they have to be copied while clients wait."
                        .formatted(plan.unlogged().stream()
                                .map(TableBlueprint::name)
                                .collect(Collectors.joining(", "))),
                "Use ALTER TABLE ... SET LOGGED for the time of the move, a greater tenantry.move.cut-over-max, or the"
                        + " shard_transfer_mode 'block_writes'.");
    }
}
