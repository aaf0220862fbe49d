package dev.tenantry.control.move;

import dev.tenantry.blueprint.TableBlueprint;
import dev.tenantry.control.node.copy.HeldRows;
import dev.tenantry.control.node.copy.SequenceValue;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.PauseState;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Attempts to switch a schema to its new node, each within the time that clients may wait: the schema is paused, every
 * proxy has said that it begins nothing there, the source's tables are locked against whoever does not know of the
 * pause, the target is level, and nobody uses the source any more. Then the switch commits. An attempt that does not
 * come so far in time leaves all as it was.
 */
final class CutOver {

    private static final Logger LOG = Logger.getLogger(CutOver.class);
    private static final Duration LOOK = Duration.ofMillis(2);

    /** Who waits for proxies is told of each; one that dies tells nothing. */
    private static final Duration PROXIES_LOOK = Duration.ofMillis(50);

    /** What is left of the time when waiting ends, for what can't be stopped half-way. */
    private static final int WAIT_PERCENT = 80;

    /** How often unlogged tables may prove too large for the time that there is. */
    private static final int COPIES_LATE_MAX = 3;

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveStore store;
    private final MoveRow move;
    private final CopyPlan plan;
    private final Following following;
    private final Source locker;
    private final Switch last;
    private final Semaphore acknowledgements = new Semaphore(0);
    private Set<Integer> inTheWay = Set.of();
    private boolean definitionChanged;
    private long begun;
    private @Nullable HeldRows rows;
    private int copiesLate;
    private final StringBuilder passed = new StringBuilder();

    CutOver(MoveServices services, MoveConnections connections, MoveRow move, CopyPlan plan, Following following) {
        this.services = services;
        this.connections = connections;
        this.store = connections.store();
        this.move = move;
        this.plan = plan;
        this.following = following;
        this.locker = new Source(connections.anotherToSource(), connections.names());
        this.last = new Switch(services, connections, move, plan, locker);
        store.onAcknowledgement(acknowledgements::release);
    }

    /** Whose transactions kept the last attempt from succeeding; sessions of the source by pid. */
    Set<Integer> inTheWay() {
        return inTheWay;
    }

    /** Whether the last attempt failed because the definition is not what was compared. */
    boolean hasDefinitionChanged() {
        return definitionChanged;
    }

    /**
     * Tries once; true if the schema is on its new node, false if all is as before.
     *
     * @param fingerprint of the definition that was compared
     */
    boolean attempt(String fingerprint) throws InterruptedException {
        inTheWay = Set.of();
        definitionChanged = false;
        passed.setLength(0);
        if (!sameDefinition(rehearsed(), fingerprint)) {
            return false;
        }
        last.begin();
        begun = System.nanoTime();
        long pauseId = store.pause(move);
        boolean switched = false;
        try {
            services.observer().reached(MovePoint.PAUSED);
            passed("paused");
            switched = awaitAcknowledgements(pauseId) && passed("acknowledged") && locked() && level(fingerprint);
        } finally {
            // Whether or not it has switched: proxies go by the catalog, and the source is fenced until that is known.
            if (!switched) {
                store.resume(move);
                last.giveUp();
            }
            store.stalled(move, elapsed().toNanos() / 1e6);
            LOG.infof("cut-over move=%d switched=%b%s", move.id(), switched, passed);
        }
        return switched;
    }

    /** The definition. What is asked over a connection for the first time takes longest, so nobody waits for that. */
    private String rehearsed() {
        locker.sequences(plan.schema(), plan.sequences());
        return locker.state(plan.schema()).fingerprint();
    }

    /** Notes when it came so far, for the log. */
    private boolean passed(String step) {
        passed.append(' ').append(step).append("Millis=").append(elapsed().toMillis());
        return true;
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private Duration rest(int percent) {
        return services.limits()
                .cutOverMax()
                .multipliedBy(percent)
                .dividedBy(100)
                .minus(elapsed());
    }

    private boolean inTime() {
        return !rest(WAIT_PERCENT).isNegative();
    }

    /**
     * All proxies that are alive begin nothing there any more, and what they had sent there has ended; some of it may
     * not have come to the node before, so that no lock tells of it.
     */
    private boolean awaitAcknowledgements(long pauseId) throws InterruptedException {
        while (inTime()) {
            PauseState state = store.pauseState(pauseId);
            if (state.acknowledged() >= state.proxies() && state.running() == 0) {
                return true;
            }
            if (acknowledgements.tryAcquire(PROXIES_LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                acknowledgements.drainPermits();
            }
        }
        inTheWay = locker.users(plan.schema());
        return false;
    }

    private boolean locked() throws InterruptedException {
        if (!locker.lock(plan.schema(), plan.writable(), "EXCLUSIVE", rest(WAIT_PERCENT))) {
            inTheWay = connections.source().users(plan.schema());
            return false;
        }
        services.observer().reached(MovePoint.LOCKED);
        return passed("locked");
    }

    /** With the tables locked, which they are not any more when this returns. */
    private boolean level(String fingerprint) throws InterruptedException {
        boolean ready = false;
        try {
            ready = caughtUp() && passed("level") && undisturbed(fingerprint) && passed("unused");
        } finally {
            if (!ready) {
                locker.rollback();
            }
        }
        return ready && last.commit() && passed("switched");
    }

    private boolean caughtUp() throws InterruptedException {
        long mark = connections.source().mark();
        if (!copiedUnlogged()) {
            return false;
        }
        if (!following.awaitMark(mark, this::inTime)) {
            return false;
        }
        Map<String, SequenceValue> values = locker.sequences(plan.schema(), plan.sequences());
        connections.target().setSequences(plan.schema(), values);
        services.observer().reached(MovePoint.LEVEL);
        return true;
    }

    /** Nothing tells of changes to unlogged tables, so they are copied when nobody can change them any more. */
    private boolean copiedUnlogged() {
        if (plan.unlogged().isEmpty()) {
            return true;
        }
        HeldRows copying = rows;
        if (copying == null) {
            copying = connections.heldRows();
            rows = copying;
        }
        if (copying.copy(plan.schema(), plan.unloggedColumns(), rest(WAIT_PERCENT))) {
            return true;
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
                "Use ALTER TABLE ... SET LOGGED for the time of the move, or a greater tenantry.move.cut-over-max.");
    }

    private boolean undisturbed(String fingerprint) throws InterruptedException {
        while (true) {
            Source.State state = locker.state(plan.schema());
            inTheWay = state.users();
            if (!sameDefinition(state.fingerprint(), fingerprint) || !inTime()) {
                return false;
            }
            if (inTheWay.isEmpty()) {
                return true;
            }
            Thread.sleep(LOOK);
        }
    }

    private boolean sameDefinition(String found, String compared) {
        definitionChanged = !found.equals(compared);
        return !definitionChanged;
    }
}
