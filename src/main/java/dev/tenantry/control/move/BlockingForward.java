package dev.tenantry.control.move;

import dev.tenantry.control.move.MoveLimits.Comparison;
import dev.tenantry.control.node.copy.RowComparison;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * The steps of a move up to the switch where writers wait from begin to end and nothing has to be followed. Everybody
 * is held until the source's tables can be locked, and again for the switch; in between, proxies let readers go on. The
 * lock is one transaction's, which ends with the switch: if it is lost, or this process, all begins from the start.
 */
final class BlockingForward {

    /** The transfer mode that asks for this. */
    static final String MODE = "block_writes";

    /** Keeps out all who write, and nobody who reads, even if they lock rows. */
    private static final String LOCK = "SHARE ROW EXCLUSIVE";

    private static final Logger LOG = Logger.getLogger(BlockingForward.class);
    private static final Duration BACK_OFF_MIN = Duration.ofMillis(100);
    private static final Duration BACK_OFF_MAX = Duration.ofSeconds(10);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveStore store;
    private final Definitions definitions;
    private final Source locker;
    private final MoveRow move;

    BlockingForward(MoveServices services, MoveConnections connections, MoveRow move) {
        this.services = services;
        this.connections = connections;
        this.store = connections.store();
        this.definitions = new Definitions(connections);
        this.locker = new Source(connections.anotherToSource(), connections.names());
        requireAttempt(move);
        this.move = store.begin(move, MovePhase.CREATING.text());
    }

    /** What can't be kept locked for long enough would keep its writers waiting again and again. */
    private static void requireAttempt(MoveRow move) {
        if (move.attempt() >= SchemaMove.ATTEMPTS_MAX) {
            throw new MoveFailedException(
                    SqlStates.IN_USE,
                    "schema %s cannot be moved: its locks were lost %d times"
                            .formatted(move.schema(), SchemaMove.ATTEMPTS_MAX),
                    "They are those of one transaction on its node, which ends with the connection to it.",
                    "See in the logs of the node and of the proxies what has ended it.");
        }
    }

    /** Returns when the schema is on its new node. */
    void run() throws InterruptedException {
        definitions.requireVacancy(move);
        services.observer().reached(MovePoint.CREATION_NOTED);
        boolean switched = false;
        try {
            copy(lock());
            switched = true;
        } finally {
            if (!switched) {
                locker.rollback(); // before those go on who wait for it
            }
        }
    }

    /** Returns the tables that are locked. */
    private List<String> lock() throws InterruptedException {
        Acknowledgements acknowledgements = new Acknowledgements(store);
        Backoff backoff = new Backoff(BACK_OFF_MIN, BACK_OFF_MAX);
        List<String> tables = definitions.onSource(move).writable();
        while (!isLocked(acknowledgements, tables)) {
            store.waitsFor(move, connections.source().users(move.schema()));
            backoff.sleepUnevenly();
            tables = definitions.onSource(move).writable();
        }
        store.waitsFor(move, Set.of());
        services.observer().reached(MovePoint.LOCKED);
        return tables;
    }

    private boolean isLocked(Acknowledgements acknowledgements, List<String> tables) throws InterruptedException {
        acknowledgements.awaitMissed();
        long end = System.nanoTime() + services.limits().cutOverMax().toNanos();
        long pauseId = store.pause(move);
        boolean locked = false;
        try {
            locked = acknowledgements.await(pauseId, () -> System.nanoTime() < end)
                    && locker.lock(move.schema(), tables, LOCK, Duration.ofNanos(end - System.nanoTime()));
            if (locked) {
                store.admitReaders(move);
            }
        } finally {
            if (!locked) {
                store.resume(move);
            }
        }
        return locked;
    }

    private void copy(List<String> locked) throws InterruptedException {
        // In this order: what is made before the plan is read is not among the locked; later, the fingerprint tells.
        String fingerprint = locker.fingerprint(move.schema());
        CopyPlan plan = definitions.onSource(move);
        if (!plan.writable().equals(locked)) {
            throw CopyInvalidException.changed(move.schema(), "Tables were made or dropped before they were locked.");
        }
        new GuardedLimits(plan, connections.target().majorVersion()).check();
        connections.patientlyOnTarget(patient ->
                Target.create(patient, connections.names(), move.attempt(), plan.schema(), plan.beforeData()));
        services.observer().reached(MovePoint.DEFINITION_CREATED);
        store.enter(move, MovePhase.COPYING.text());
        copyRows(plan);
        connections.target().copied(connections.source().tables(plan.schema()));
        services.observer().reached(MovePoint.COPIED);
        store.enter(move, MovePhase.BUILDING.text());
        new Building(services, connections).run(plan, () -> {});
        services.observer().reached(MovePoint.BUILT);
        store.enter(move, MovePhase.VERIFYING.text());
        definitions.requireSame(move, plan);
        requireEqualRows(plan);
        services.observer().reached(MovePoint.VERIFIED);
        store.enter(move, MovePhase.CUTTING_OVER.text());
        cutOver(plan, fingerprint);
    }

    private void copyRows(CopyPlan plan) throws InterruptedException {
        // A transaction that has exported a snapshot can't be prepared, so it is not that of the locker.
        Source exporter = new Source(connections.anotherToSource(), connections.names());
        String snapshot = exporter.exportSnapshot();
        new Copying(services, connections, move).run(plan.schema(), plan.columns(), plan.guarded(), snapshot);
        exporter.rollback();
    }

    private void requireEqualRows(CopyPlan plan) throws InterruptedException {
        Comparison comparison = services.limits().comparison();
        if (comparison == Comparison.NONE || plan.columns().isEmpty()) {
            return;
        }
        try (ServerConnection source = services.openPatient(connections.sourceAddress());
                ServerConnection target = services.openPatient(connections.targetAddress());
                Comparing comparing = new Comparing(services, connections, plan)) {
            RowComparison.begin(source);
            RowComparison.begin(target);
            comparing.require(
                    comparing.differences(source, target, plan.columns().keySet()));
        }
    }

    private void cutOver(CopyPlan plan, String fingerprint) throws InterruptedException {
        CutOver cutOver = new CutOver(services, connections, move, plan, new HeldTables(connections, move, locker));
        Backoff backoff = new Backoff(BACK_OFF_MIN, BACK_OFF_MAX);
        while (!cutOver.attempt(fingerprint)) {
            if (cutOver.hasDefinitionChanged()) {
                throw CopyInvalidException.changed(move.schema(), "Objects were made, altered or dropped in it.");
            }
            if (cutOver.isFenceOpen()) {
                throw new CopyInvalidException(
                        "the move of schema %s has lost its locks".formatted(move.schema()), "The switch has failed.");
            }
            store.waitsFor(move, cutOver.inTheWay());
            cancelBlocked();
            backoff.sleepUnevenly();
        }
    }

    /** Whoever writes where no proxy can see it waits for our locks, and the switch would wait for them. */
    private void cancelBlocked() {
        Set<Integer> cancelled = locker.cancelBlocked();
        if (!cancelled.isEmpty()) {
            LOG.warnf("statements that wait for a move are cancelled move=%d pids=%s", move.id(), cancelled);
        }
    }
}
