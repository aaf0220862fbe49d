package dev.tenantry.control.move;

import dev.tenantry.control.node.PreparedTransactions;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import org.jboss.logging.Logger;

/** Removes what a move has left on its nodes, before the switch or after it. Everything may be repeated. */
final class Remains {

    private static final Logger LOG = Logger.getLogger(Remains.class);
    private static final Duration DROP_LOCK_MAX = Duration.ofSeconds(1);
    private static final Duration RETRY = Duration.ofMillis(100);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveRow move;

    Remains(MoveServices services, MoveConnections connections, MoveRow move) {
        this.services = services;
        this.connections = connections;
        this.move = move;
    }

    /** Leaves the source as it was before the move, and nothing on the target. */
    void undo() throws InterruptedException {
        Source source = connections.source();
        Target target = connections.target();
        connections.store().resume(move);
        rollBack();
        stopReplication();
        for (String widened : move.widened()) {
            Identity identity = Identity.parse(widened);
            while (!source.restoreIdentity(
                    move.schema(),
                    identity.table(),
                    identity.before(),
                    services.limits().lockMax())) {
                Thread.sleep(RETRY);
            }
        }
        if (target.hasCreated()) {
            if (connections.targetIsCoordinator()) {
                new MoveStore(connections.coordinator())
                        .emptyNamespace(move, connections.names().undoneSchema());
            } else {
                connections.patientlyOnTarget(patient -> Target.dropCopy(patient, connections.names(), move.schema()));
            }
        }
        target.forgetDeeds();
    }

    /** Undoes a switch that was prepared and, since the move was taken over before, can't be decided any more. */
    void rollBack() {
        move.gid().ifPresent(gid -> {
            PreparedTransactions.rollback(connections.source().connection(), gid);
            PreparedTransactions.rollback(connections.target().connection(), gid);
        });
    }

    /** Ends the replication, and drops the old copy unless it is to be kept. */
    void finish() throws InterruptedException {
        move.gid().ifPresent(gid -> {
            PreparedTransactions.commit(connections.source().connection(), gid);
            PreparedTransactions.commit(connections.target().connection(), gid);
        });
        stopReplication();
        connections.target().forgetDeeds();
        services.observer().reached(MovePoint.UNSUBSCRIBED);
        Duration keep = services.limits().keepSource();
        if (keep.isZero() && connections.source().drop(connections.names().oldSchema(), DROP_LOCK_MAX)) {
            connections.store().dropped(move.id());
        }
        connections.store().done(move, MovePhase.DONE.text(), keep.toMillis());
    }

    /** Drops an old copy that was kept, or that somebody still read. */
    void dropOld() {
        String old = move.oldSchema().orElse(connections.names().oldSchema());
        if (connections.source().drop(old, DROP_LOCK_MAX)) {
            connections.store().dropped(move.id());
        } else {
            LOG.infof(
                    "old copy is still in use schema=%s node=%s",
                    old, connections.sourcePlace().name());
        }
    }

    private void stopReplication() {
        Target target = connections.target();
        target.endCopies();
        connections.source().endCopies();
        if (target.isSubscribed()) {
            target.rest();
            connections.source().freeSlot();
            target.unsubscribe();
        }
        connections.source().dropSlot();
        connections.source().unpublish();
        connections.source().forgetMarks();
    }
}
