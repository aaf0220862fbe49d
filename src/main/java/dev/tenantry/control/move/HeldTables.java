package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.Source;
import dev.tenantry.store.move.MoveRow;
import java.time.Duration;

/** Tables that are locked from the time when they were copied on, so that the target is level with them already. */
final class HeldTables implements Fence {

    private final MoveConnections connections;
    private final MoveRow move;
    private final Source locker;

    HeldTables(MoveConnections connections, MoveRow move, Source locker) {
        this.connections = connections;
        this.move = move;
        this.locker = locker;
    }

    @Override
    public Source locker() {
        return locker;
    }

    @Override
    public boolean close(Duration max) {
        return true;
    }

    @Override
    public boolean level(Duration max) {
        return true;
    }

    @Override
    public void open() {
        // they stay locked
    }

    /** Writers go on waiting, or they would wait on the node and keep the next attempt from succeeding. */
    @Override
    public void resume() {
        connections.store().admitReaders(move);
    }
}
