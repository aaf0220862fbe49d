package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.Source;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Attempts to switch a schema to its new node, each within the time that clients may wait: the schema is paused, every
 * proxy has said that it begins nothing there, the source's tables are locked against whoever does not know of the
 * pause, the target is level, and nobody uses the source any more. Then the switch commits. An attempt that does not
 * come so far in time leaves all as it was.
 */
final class CutOver {

    private static final Logger LOG = Logger.getLogger(CutOver.class);
    private static final Duration LOOK = Duration.ofMillis(2);

    /** What is left of the time when waiting ends, for what can't be stopped half-way. */
    private static final int WAIT_PERCENT = 80;

    private static final int WHOLE_PERCENT = 100;

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveStore store;
    private final MoveRow move;
    private final CopyPlan plan;
    private final Fence fence;
    private final Source locker;
    private final Switch last;
    private final Acknowledgements acknowledgements;
    private Set<Integer> inTheWay = Set.of();
    private boolean definitionChanged;
    private boolean unlocked;
    private long begun;
    private final StringBuilder passed = new StringBuilder();

    CutOver(MoveServices services, MoveConnections connections, MoveRow move, CopyPlan plan, Fence fence) {
        this.services = services;
        this.connections = connections;
        this.store = connections.store();
        this.move = move;
        this.plan = plan;
        this.fence = fence;
        this.locker = fence.locker();
        this.last = new Switch(services, connections, move, plan, locker);
        this.acknowledgements = new Acknowledgements(store);
    }

    /** Whose transactions kept the last attempt from succeeding; sessions of the source by pid. */
    Set<Integer> inTheWay() {
        return inTheWay;
    }

    /** Whether the last attempt failed because the definition is not what was compared. */
    boolean hasDefinitionChanged() {
        return definitionChanged;
    }

    /** Whether the last attempt failed so late that the fence is open, whichever it is. */
    boolean isFenceOpen() {
        return unlocked;
    }

    /**
     * Tries once; true if the schema is on its new node, false if all is as before.
     *
     * @param fingerprint of the definition that was compared
     */
    boolean attempt(String fingerprint) throws InterruptedException {
        inTheWay = Set.of();
        definitionChanged = false;
        unlocked = false;
        passed.setLength(0);
        acknowledgements.awaitMissed();
        if (!rehearsed(fingerprint)) {
            return false;
        }
        begun = System.nanoTime();
        long pauseId = store.pause(move);
        boolean switched = false;
        try {
            services.observer().reached(MovePoint.PAUSED);
            passed("paused");
            switched = acknowledged(pauseId) && locked() && level(fingerprint);
        } finally {
            // Whether or not it has switched: proxies go by the catalog, and the source is fenced until that is known.
            if (!switched) {
                fence.resume();
                last.giveUp();
            }
            store.stalled(move, elapsed().toNanos() / 1e6);
            LOG.infof("cut-over move=%d switched=%b%s", move.id(), switched, passed);
        }
        return switched;
    }

    /** What is asked over a connection for the first time takes longest, so nobody waits for that. */
    private boolean rehearsed(String fingerprint) {
        locker.users(plan.schema());
        if (!isDefinition(fingerprint)) {
            return false;
        }
        // Which the definition does not tell; who reads it again refuses them by name.
        definitionChanged = !locker.usedBy(plan.schema()).isEmpty();
        if (definitionChanged) {
            return false;
        }
        last.begin();
        return true;
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

    private boolean acknowledged(long pauseId) throws InterruptedException {
        if (acknowledgements.await(pauseId, this::inTime)) {
            return passed("acknowledged");
        }
        inTheWay = locker.users(plan.schema());
        return false;
    }

    private boolean locked() throws InterruptedException {
        if (!fence.close(rest(WAIT_PERCENT))) {
            inTheWay = connections.source().users(plan.schema());
            return false;
        }
        services.observer().reached(MovePoint.LOCKED);
        return passed("locked");
    }

    /** With the tables locked. */
    private boolean level(String fingerprint) throws InterruptedException {
        boolean ready = false;
        try {
            ready = caughtUp(fingerprint) && inTime() && passed("level");
        } finally {
            if (!ready) {
                fence.open();
            }
        }
        unlocked = ready && !last.commit(rest(WHOLE_PERCENT));
        return ready && !unlocked && passed("switched");
    }

    /** Nobody can tell that the source is unused before the last rows have come from it. */
    private boolean caughtUp(String fingerprint) throws InterruptedException {
        if (!fence.level(rest(WAIT_PERCENT)) || !undisturbed(fingerprint)) {
            return false;
        }
        services.observer().reached(MovePoint.LEVEL);
        return true;
    }

    /** In this order: who ends between the two has changed the definition or has not. */
    private boolean undisturbed(String fingerprint) throws InterruptedException {
        inTheWay = locker.users(plan.schema());
        while (!inTheWay.isEmpty()) {
            if (!inTime()) {
                return false;
            }
            Thread.sleep(LOOK);
            inTheWay = locker.users(plan.schema());
        }
        return isDefinition(fingerprint);
    }

    private boolean isDefinition(String compared) {
        definitionChanged = !locker.fingerprint(plan.schema()).equals(compared);
        return !definitionChanged;
    }
}
