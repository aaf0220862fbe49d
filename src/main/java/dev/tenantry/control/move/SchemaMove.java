package dev.tenantry.control.move;

import dev.tenantry.blueprint.UnknownObjectsException;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.Failure;
import dev.tenantry.store.move.MoveStore.TakenOverException;
import java.time.Duration;
import org.jboss.logging.Logger;

/**
 * Runs one move to its end, on a virtual thread: forwards until the switch, then cleaning up; or, after an error or
 * when somebody has cancelled it, backwards. A server that is away is waited for; who stops this leaves all as it is,
 * and whoever runs the move next goes on with the phase that the catalog tells.
 */
final class SchemaMove {

    private static final Logger LOG = Logger.getLogger(SchemaMove.class);
    private static final Duration RETRY_MIN = Duration.ofMillis(200);
    private static final Duration RETRY_MAX = Duration.ofSeconds(5);

    /** A copy that has become useless is made anew, but not for ever. */
    static final int ATTEMPTS_MAX = 5;

    private final MoveServices services;
    private final long moveId;
    private final Thread thread;
    private volatile boolean stopped;

    // Of the one who looks after all moves.
    private boolean cancelled;
    private int strayed;

    SchemaMove(MoveServices services, long moveId, Runnable ended) {
        this.services = services;
        this.moveId = moveId;
        this.thread = Thread.ofVirtual().name("move-" + moveId).unstarted(() -> {
            try {
                run();
            } finally {
                ended.run();
            }
        });
    }

    void start() {
        thread.start();
    }

    /** The row says by now that it is to be undone; whatever it waits for is given up, but not the undoing of it. */
    void cancel() {
        if (!cancelled) {
            cancelled = true;
            thread.interrupt();
        }
    }

    /** There is no schema any more of the name that this attempt copies; whatever it waits for is given up. */
    void stray(int attempt) {
        if (strayed != attempt) {
            strayed = attempt;
            thread.interrupt();
        }
    }

    /** Leaves the move as it is. */
    void stop() {
        stopped = true;
        thread.interrupt();
    }

    void join() throws InterruptedException {
        thread.join();
    }

    private void run() {
        Backoff backoff = new Backoff(RETRY_MIN, RETRY_MAX);
        while (!stopped) {
            try {
                once();
                return;
            } catch (TakenOverException other) {
                LOG.infof("move is done by another move=%d", moveId);
                return;
            } catch (CatalogUnavailableException | InterruptedException away) {
                LOG.infof("move waits move=%d reason=%s", moveId, away.getMessage());
            } catch (StatementRefusedException refused) {
                LOG.infof("move waits move=%d sqlstate=%s reason=%s", moveId, refused.sqlState(), refused.error());
            } catch (RuntimeException failed) {
                LOG.errorf(failed, "move failed and goes on later move=%d", moveId);
            }
            sleep(backoff.next());
        }
    }

    private void sleep(Duration pause) {
        try {
            boolean cancelled = Thread.interrupted();
            Thread.sleep(cancelled ? Duration.ZERO : pause);
        } catch (InterruptedException again) {
            LOG.debugf("move was woken move=%d", moveId);
        }
    }

    private void once() throws InterruptedException {
        try (ServerConnection coordinator = services.open(services.coordinator())) {
            MoveStore store = new MoveStore(coordinator);
            MoveRow move = store.claim(moveId);
            MovePhase phase = MovePhase.of(move.phase());
            if (phase.isOver()) {
                return; // it has ended since it was found to be open
            }
            if (phase.isBefore(MovePhase.SWITCHED)) {
                store.resume(move);
                if (store.isCancelled(move)) {
                    fails(store, move, cancelled());
                    phase = MovePhase.UNDOING;
                }
            }
            try (MoveConnections connections = new MoveConnections(services, coordinator, move)) {
                services.observer().reached(MovePoint.CLAIMED);
                run(connections, move, phase);
            } catch (CatalogUnavailableException away) {
                store.troubled(move, String.valueOf(away.getMessage()));
                throw away;
            }
        }
    }

    private void run(MoveConnections connections, MoveRow move, MovePhase phase) throws InterruptedException {
        MovePhase now = phase;
        if (now.isBefore(MovePhase.SWITCHED)) {
            Remains earlier = new Remains(services, connections, move);
            if (now.isBefore(MovePhase.BUILDING) || blocksWrites(move)) {
                earlier.undo();
            } else {
                earlier.rollBack();
            }
            now = forward(connections, move, now);
        }
        MoveRow current = connections.store().claim(moveId);
        Remains remains = new Remains(services, connections, current);
        if (now == MovePhase.UNDOING) {
            boolean cancelled = connections.store().isCancelled(current);
            remains.undo();
            connections.store().undone(current, (cancelled ? MovePhase.CANCELLED : MovePhase.FAILED).text());
            LOG.infof("schema not moved schema=%s move=%d", current.schema(), moveId);
        } else {
            remains.finish();
            LOG.infof(
                    "schema moved schema=%s from=%s to=%s move=%d",
                    current.schema(), connections.sourceName(), connections.targetName(), moveId);
        }
        services.observer().reached(MovePoint.ENDED);
    }

    /** Goes on until the switch; UNDOING if that can't be. */
    private MovePhase forward(MoveConnections connections, MoveRow move, MovePhase phase) throws InterruptedException {
        MoveStore store = connections.store();
        MoveRow current = move;
        MovePhase now = phase;
        while (true) {
            try {
                if (blocksWrites(current)) {
                    new BlockingForward(services, connections, current).run();
                } else {
                    new Forward(services, connections, current).run(now);
                }
                return MovePhase.SWITCHED;
            } catch (CopyInvalidException useless) {
                // Or it was by somebody else's taking it over, who ends what this one reads and writes.
                store.troubled(current, useless.getMessage() + ": " + useless.detail());
                current = store.claim(moveId);
                if (current.attempt() >= ATTEMPTS_MAX) {
                    fails(
                            store,
                            current,
                            new Failure(SqlStates.IN_USE, String.valueOf(useless.getMessage()), useless.detail(), ""));
                    return MovePhase.UNDOING;
                }
                LOG.infof("move begins anew move=%d reason=%s", moveId, useless.getMessage());
                store.enter(current, MovePhase.REQUESTED.text());
                new Remains(services, connections, current).undo();
                now = MovePhase.REQUESTED;
            } catch (MoveFailedException refused) {
                fails(store, current, refused.failure());
                return MovePhase.UNDOING;
            } catch (UnknownObjectsException unknown) {
                fails(
                        store,
                        current,
                        new Failure(SqlStates.FEATURE_NOT_SUPPORTED, String.valueOf(unknown.getMessage()), "", ""));
                return MovePhase.UNDOING;
            } catch (StatementRefusedException refused) {
                if (SqlStates.IN_THE_WAY.contains(refused.sqlState())) {
                    throw refused;
                }
                fails(
                        store,
                        current,
                        new Failure(
                                refused.sqlState(),
                                "schema %s cannot be moved: %s".formatted(current.schema(), refused.error()),
                                refused.detail(),
                                refused.hint()));
                return MovePhase.UNDOING;
            }
        }
    }

    private static boolean blocksWrites(MoveRow move) {
        return move.mode().equals(BlockingForward.MODE);
    }

    private static Failure cancelled() {
        return new Failure(SqlStates.QUERY_CANCELED, "canceling move due to user request", "", "");
    }

    private static void fails(MoveStore store, MoveRow move, Failure why) {
        LOG.warnf("move is undone schema=%s move=%d reason=%s", move.schema(), move.id(), why.message());
        store.fails(move, MovePhase.UNDOING.text(), why);
    }
}
