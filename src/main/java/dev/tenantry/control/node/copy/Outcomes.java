package dev.tenantry.control.node.copy;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Waits for work on another thread as if it were done on this one. */
public final class Outcomes {

    private Outcomes() {}

    /** What it returned; throws what it threw; when interrupted, so is the work. */
    public static <T> T of(Future<T> work) throws InterruptedException {
        try {
            return work.get();
        } catch (InterruptedException stopped) {
            work.cancel(true);
            throw stopped;
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(failed);
        }
    }

    /** Waits until all have ended; throws what the first of them threw. */
    public static void ofAll(List<Future<?>> works) throws InterruptedException {
        RuntimeException failed = null;
        for (Future<?> work : works) {
            try {
                of(work);
            } catch (RuntimeException also) {
                failed = failed == null ? also : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
