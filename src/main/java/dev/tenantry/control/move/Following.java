package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.HeldMark;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.move.MoveRow;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** How far the target is behind the source. */
final class Following {

    private static final Duration LOOK_MIN = Duration.ofMillis(2);
    private static final Duration LOOK_MAX = Duration.ofMillis(200);

    /** Near is what arrives within this part of the time that clients may wait. */
    private static final int NEAR_PART = 5;

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveRow move;
    private final Pace pace = new Pace();
    private final Headway headway;

    Following(MoveServices services, MoveConnections connections, MoveRow move) {
        this.services = services;
        this.connections = connections;
        this.move = move;
        this.headway = new Headway(services.limits().catchUpMax());
    }

    private void requireFollowing() {
        if (!connections.target().isFollowing()) {
            throw new CopyInvalidException(
                    "replication of schema %s has stopped because of an error".formatted(move.schema()),
                    "The log of node \"%s\" tells which."
                            .formatted(connections.targetPlace().name()));
        }
    }

    /**
     * Waits until what is written on the source arrives at once.
     *
     * @throws MoveFailedException if the target has come no nearer for too long
     */
    void awaitNear() throws InterruptedException {
        Duration near = services.limits().cutOverMax().dividedBy(NEAR_PART);
        while (true) {
            long begun = System.nanoTime();
            awaitMark();
            if (System.nanoTime() - begun < near.toNanos()) {
                headway.reset();
                connections.store().lag(move, 0, Optional.empty());
                return;
            }
            requireHeadway(connections.source().lag());
        }
    }

    private void awaitMark() throws InterruptedException {
        long mark = connections.source().mark();
        await(() -> connections.target().hasMark(mark));
    }

    /**
     * Waits until the target stands before that mark.
     *
     * @throws MoveFailedException if it has come no nearer for too long
     */
    void awaitStop(HeldMark mark) throws InterruptedException {
        await(mark::isReached);
    }

    private void await(BooleanSupplier arrived) throws InterruptedException {
        Source source = connections.source();
        Backoff backoff = new Backoff(LOOK_MIN, LOOK_MAX);
        while (!arrived.getAsBoolean()) {
            backoff.sleep();
            if (backoff.isLongest()) {
                requireFollowing();
                long lag = source.lag();
                pace.note(System.nanoTime(), lag);
                connections.store().lag(move, lag, pace.left());
                requireHeadway(lag);
            }
        }
    }

    /**
     * Waits until all is on the target that has been committed on the source.
     *
     * @return false if it is not there in that time
     */
    boolean awaitLevel(Duration max) throws InterruptedException {
        long begun = System.nanoTime();
        long mark = connections.source().mark();
        while (!connections.target().hasMark(mark)) {
            if (System.nanoTime() - begun > max.toNanos()) {
                return false;
            }
            Thread.sleep(LOOK_MIN);
        }
        return true;
    }

    private void requireHeadway(long lag) {
        if (!headway.note(System.nanoTime(), lag)) {
            throw givenUp();
        }
    }

    private MoveFailedException givenUp() {
        return new MoveFailedException(
                SqlStates.INSUFFICIENT_RESOURCES,
                "schema %s cannot be moved: node \"%s\" does not catch up with the writers"
                        .formatted(move.schema(), connections.targetPlace().name()),
                "It has been %d bytes of log behind, about as many as before, for %d s."
                        .formatted(
                                headway.least(), services.limits().catchUpMax().toSeconds()),
                "Move the schema when less is written, or raise tenantry.move.catch-up-max.");
    }
}
