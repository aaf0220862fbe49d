package dev.tenantry.control.move;

import dev.tenantry.control.node.PreparedTransactions;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.Source.TableIdentity;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * Removes what a move has left on its nodes, before the switch or after it. Everything may be repeated. A node that
 * does not answer keeps nothing from being removed on the other; one that has left the cluster is not asked.
 */
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

    /** What is done on one node. */
    private interface Step {
        void run() throws InterruptedException;
    }

    /** Does each, also when one before it has failed; throws the first failure. */
    private static void all(Step... steps) throws InterruptedException {
        RuntimeException first = null;
        for (Step step : steps) {
            try {
                step.run();
            } catch (RuntimeException failed) {
                if (first == null) {
                    first = failed;
                } else {
                    first.addSuppressed(failed);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /** Leaves the source as it was before the move, and nothing on the target. */
    void undo() throws InterruptedException {
        connections.store().resume(move);
        // The one who locks first; the target before the slot that it would take again.
        all(this::rollBackOnSource, this::undoOnTarget, this::undoOnSource);
    }

    private void undoOnTarget() {
        if (!connections.hasTarget()) {
            return;
        }
        rollBackOnTarget();
        unsubscribe();
        Target target = connections.target();
        if (target.hasCreated()) {
            if (connections.targetIsCoordinator()) {
                connections.patientlyOnTarget(patient -> new MoveStore(patient)
                        .emptyNamespace(move, connections.names().undoneSchema()));
            } else {
                connections.patientlyOnTarget(patient -> Target.dropCopy(patient, connections.names(), move.schema()));
            }
        }
        target.forgetDeeds();
    }

    private void undoOnSource() throws InterruptedException {
        if (!connections.hasSource()) {
            return;
        }
        unpublish();
        for (TableIdentity identity : identities()) {
            while (!connections
                    .source()
                    .restoreIdentity(identity, services.limits().lockMax())) {
                Thread.sleep(RETRY);
            }
        }
    }

    private List<TableIdentity> identities() {
        return move.widened().stream()
                .map(Identity::parse)
                .map(identity -> new TableIdentity(identity.oid(), identity.before()))
                .toList();
    }

    /** Undoes a switch that was prepared and, since the move was taken over before, can't be decided any more. */
    void rollBack() throws InterruptedException {
        all(this::rollBackOnSource, this::rollBackOnTarget);
    }

    private void rollBackOnSource() {
        if (move.gid().isPresent() && connections.hasSource()) {
            PreparedTransactions.rollback(
                    connections.source().connection(), move.gid().get());
        }
    }

    private void rollBackOnTarget() {
        if (move.gid().isPresent() && connections.hasTarget()) {
            PreparedTransactions.rollback(
                    connections.target().connection(), move.gid().get());
        }
    }

    /** Ends the replication, and drops the old copy unless it is to be kept. */
    void finish() throws InterruptedException {
        all(this::commitOnSource, this::finishOnTarget, this::finishOnSource);
        services.observer().reached(MovePoint.UNSUBSCRIBED);
        Duration keep = services.limits().keepSource();
        if (!connections.hasSource()
                || keep.isZero() && isDropped(connections.names().oldSchema())) {
            connections.store().dropped(move.id());
        }
        connections.store().done(move, MovePhase.DONE.text(), keep.toMillis());
    }

    private void commitOnSource() {
        if (move.gid().isPresent() && connections.hasSource()) {
            PreparedTransactions.commit(
                    connections.source().connection(), move.gid().get());
        }
    }

    private void finishOnTarget() {
        if (!connections.hasTarget()) {
            return;
        }
        move.gid()
                .ifPresent(
                        gid -> PreparedTransactions.commit(connections.target().connection(), gid));
        unsubscribe();
        connections.target().forgetDeeds();
    }

    private void finishOnSource() {
        if (!connections.hasSource()) {
            return;
        }
        unpublish();
        if (!services.limits().keepSource().isZero()) {
            identities().forEach(identity -> connections.source().restoreIdentity(identity, DROP_LOCK_MAX));
        }
    }

    /** Drops an old copy that was kept, or that somebody still read. */
    void dropOld() {
        if (!connections.hasSource()
                || isDropped(move.oldSchema().orElse(connections.names().oldSchema()))) {
            connections.store().dropped(move.id());
        }
    }

    /** False if somebody reads it, or objects of other schemas use it, which would go with it. */
    private boolean isDropped(String old) {
        Source source = connections.source();
        String node = connections.sourcePlace().name();
        List<String> users = source.usedBy(old);
        if (!users.isEmpty()) {
            LOG.warnf("old copy is kept for what uses it schema=%s node=%s objects=%s", old, node, users);
            return false;
        }
        AtomicBoolean dropped = new AtomicBoolean();
        connections.patientlyOnSource(
                patient -> dropped.set(new Source(patient, connections.names()).drop(old, DROP_LOCK_MAX)));
        if (!dropped.get()) {
            LOG.infof("old copy is still in use schema=%s node=%s", old, node);
        }
        return dropped.get();
    }

    private void unsubscribe() {
        Target target = connections.target();
        target.endCopies();
        target.dropLogins();
        if (target.isSubscribed()) {
            target.unsubscribe();
        }
    }

    private void unpublish() {
        Source source = connections.source();
        source.endCopies();
        source.dropLogins();
        source.dropSlot();
        source.unpublish();
        source.forgetMarks();
    }
}
