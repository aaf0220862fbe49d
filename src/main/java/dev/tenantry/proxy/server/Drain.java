package dev.tenantry.proxy.server;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Ends all sessions of a proxy that stops, gently first. For a thread that may block.
 *
 * <ol>
 *   <li>clients that have not signed in are refused, 57P03; sessions between transactions end, 57P01
 *   <li>for the time of grace: the others go on and end with their transaction
 *   <li>what still runs is cancelled, and those sessions end when their nodes have answered
 *   <li>sessions whose nodes have not answered are cut off
 *   <li>for a while those are waited for that are in the middle of a commit over several nodes; recovery finishes for
 *       the rest
 * </ol>
 */
final class Drain {
    private static final System.Logger LOG = System.getLogger(Drain.class.getName());
    private static final Duration LOOK = Duration.ofMillis(20);

    /** How long nodes may take to answer a cancelled statement. */
    private static final Duration CANCEL_MAX = Duration.ofSeconds(2);

    /** How long a commit may take that was begun in time. */
    private static final Duration COMMIT_MAX = Duration.ofSeconds(10);

    private final Set<ClientConnection> connections;

    Drain(Set<ClientConnection> connections) {
        this.connections = connections;
    }

    /**
     * Returns when no session is left, or all steps are done.
     *
     * @param grace how long transactions may go on
     */
    void run(Duration grace) {
        if (all(Departure::leave, grace)) {
            return;
        }
        LOG.log(System.Logger.Level.WARNING, "ending sessions in their transactions sessions=" + connections.size());
        if (!all(Departure::cut, CANCEL_MAX)) {
            all(Departure::cutHard, COMMIT_MAX);
        }
    }

    /** Tells all, and waits until none is left or the time is over; whether none is left. */
    private boolean all(Consumer<Departure> step, Duration wait) {
        long deadline = System.nanoTime() + wait.toNanos();
        connections.forEach(connection -> connection.leave(step));
        while (!connections.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(LOOK.toNanos());
        }
        return connections.isEmpty();
    }
}
