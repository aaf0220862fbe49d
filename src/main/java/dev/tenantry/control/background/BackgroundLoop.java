package dev.tenantry.control.background;

import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.StatementRefusedException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;

/**
 * Does the same work again and again, with a pause in between, on a virtual thread of its own until it is closed. Work
 * that fails is begun afresh after the pause: what was away may be back. Started once; closed by any thread.
 */
public final class BackgroundLoop implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(BackgroundLoop.class);
    private static final Duration CLOSE_MAX = Duration.ofSeconds(5);

    private final String name;
    private final Duration pause;
    private final Work work;
    private final Runnable last;
    private final Semaphore wakes = new Semaphore(0);
    private final Thread thread;
    private volatile boolean closed;

    /** What a loop does. */
    @FunctionalInterface
    public interface Work {

        /**
         * Does it once; may go on for long, as long as it asks the loop whether it is closed.
         *
         * @throws Exception if it failed this time; what is not a server that is away or refuses counts as a mistake
         * @throws InterruptedException if it was stopped
         */
        void run(BackgroundLoop loop) throws Exception;
    }

    /**
     * Makes one that does nothing until started.
     *
     * @param name what it does, for the log and the name of its thread
     * @param pause between one time and the next
     */
    public BackgroundLoop(String name, Duration pause, Work work) {
        this(name, pause, work, () -> {});
    }

    /**
     * The same.
     *
     * @param last what its thread does when it has been closed
     */
    public BackgroundLoop(String name, Duration pause, Work work, Runnable last) {
        this.name = name;
        this.pause = pause;
        this.work = work;
        this.last = last;
        this.thread = Thread.ofVirtual().name(name).unstarted(this::run);
    }

    /** Begins, at once. */
    public void start() {
        thread.start();
    }

    /** Whether the work must come to its end. */
    public boolean isClosed() {
        return closed;
    }

    /** Ends a pause that goes on, or the next one. */
    public void wake() {
        wakes.release();
    }

    /**
     * Waits, on the loop's thread, until the time is over, or {@link #wake()} or a close has been called since the last
     * pause.
     */
    public void pause(Duration atMost) throws InterruptedException {
        if (!closed && wakes.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
            wakes.drainPermits();
        }
    }

    /** Interrupts the work; returns when it has ended, or that takes longer than five seconds. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        join();
    }

    /** Lets the work come to its end by itself, and interrupts it when that takes longer than five seconds. */
    public void closeGently() {
        closed = true;
        wake();
        join();
        thread.interrupt();
    }

    private void join() {
        try {
            thread.join(CLOSE_MAX);
        } catch (IllegalThreadStateException neverStarted) {
            LOG.tracef("closed before it was started loop=%s", name);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closed) {
                once();
                pause(pause);
            }
        } catch (InterruptedException stopped) {
            LOG.debugf("stopped loop=%s", name);
        } finally {
            last.run();
        }
    }

    private void once() throws InterruptedException {
        try {
            work.run(this);
        } catch (InterruptedException stopped) {
            throw stopped;
        } catch (CatalogUnavailableException | StatementRefusedException | TimeoutException away) {
            LOG.debugf("waits loop=%s reason=%s", name, away.getMessage());
        } catch (Exception ours) {
            LOG.errorf(ours, "failed and starts afresh loop=%s", name);
        }
    }
}
