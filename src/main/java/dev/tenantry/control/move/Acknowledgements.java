package dev.tenantry.control.move;

import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.PauseState;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for what proxies say of a pause. Used by one thread. */
final class Acknowledgements {

    /** Who waits is told of each proxy; one that dies tells nothing. */
    private static final Duration LOOK = Duration.ofMillis(50);

    private final MoveStore store;
    private final Semaphore told = new Semaphore(0);

    Acknowledgements(MoveStore store) {
        this.store = store;
        store.onAcknowledgement(told::release);
    }

    /**
     * Waits, for some seconds at most, as long as a proxy is missed that can't acknowledge anything: it is back soon,
     * or has died. To be called before clients wait.
     */
    void awaitMissed() throws InterruptedException {
        while (store.isProxyMissed()) {
            Thread.sleep(LOOK);
        }
    }

    /**
     * Waits until all proxies that are alive begin nothing there any more, and what they had sent there has ended; some
     * of it may not have come to the node before, so that no lock tells of it.
     *
     * @param inTime asked again and again
     * @return false if that is not so when there is no time any more, or a proxy is missed
     */
    boolean await(long pauseId, BooleanSupplier inTime) throws InterruptedException {
        while (inTime.getAsBoolean()) {
            boolean heard = told.tryAcquire(LOOK.toMillis(), TimeUnit.MILLISECONDS);
            told.drainPermits();
            PauseState state = store.pauseState(pauseId);
            if (state.acknowledged() >= state.proxies() && state.running() == 0) {
                return true;
            }
            if (!heard && store.isProxyMissed()) {
                return false;
            }
        }
        return false;
    }
}
