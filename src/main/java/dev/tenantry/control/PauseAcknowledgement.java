package dev.tenantry.control;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.PauseProgress;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Tells the catalog that a proxy is alive, and of each pause that the proxy has heard of it and how many of its
 * sessions still have to end a transaction. On one virtual thread: at once when the catalog changes, and often until
 * none has.
 */
final class PauseAcknowledgement implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(PauseAcknowledgement.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofMillis(50);
    private static final long CLOSE_MAX_MILLIS = 5_000;

    /** A sixth of what makes a proxy count as dead; see tenantry.tenantry_pauses. */
    private static final Duration ALIVE = Duration.ofSeconds(5);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final CatalogFeed catalog;
    private final PauseProgress proxy;
    private final Semaphore changes = new Semaphore(0);
    private final Runnable changed = changes::release;
    private final Thread thread;
    private volatile boolean closed;

    PauseAcknowledgement(Vertx vertx, CoordinatorAddress coordinator, CatalogFeed catalog, PauseProgress proxy) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.catalog = catalog;
        this.proxy = proxy;
        this.thread = Thread.ofVirtual().name("pause-acknowledgement").unstarted(this::run);
    }

    void start() {
        catalog.onChange(changed);
        thread.start();
    }

    /** Stops it; returns when the catalog has been told that the proxy is gone, or that takes too long. */
    @Override
    public void close() {
        closed = true;
        catalog.forget(changed);
        changes.release();
        try {
            thread.join(CLOSE_MAX_MILLIS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        thread.interrupt();
    }

    private void run() {
        while (!closed) {
            try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
                follow(new CatalogStore(connection));
            } catch (InterruptedException stopped) {
                return;
            } catch (CatalogUnavailableException | StatementRefusedException failed) {
                LOG.debugf("pauses can't be acknowledged now reason=%s", failed.getMessage());
                pause();
            } catch (IllegalStateException stopping) {
                LOG.debugf("pauses are not acknowledged any more reason=%s", stopping.getMessage());
                pause();
            } catch (RuntimeException ours) {
                LOG.error("acknowledging pauses failed and starts afresh", ours);
                pause();
            }
        }
    }

    private void follow(CatalogStore store) throws InterruptedException {
        Map<Long, Integer> told = new HashMap<>();
        Instant aliveUntil = Instant.EPOCH;
        while (!closed) {
            if (Instant.now().isAfter(aliveUntil)) {
                store.proxyAlive(proxy.proxyId());
                aliveUntil = Instant.now().plus(ALIVE);
            }
            Pauses pauses = catalog.current().pauses();
            told.keySet().removeIf(id -> pauses.all().stream().noneMatch(pause -> pause.id() == id));
            boolean quiet = true;
            if (pauses != Pauses.NONE) {
                for (Map.Entry<Long, Integer> entry : proxy.running(pauses).entrySet()) {
                    quiet &= entry.getValue() == 0;
                    if (!entry.getValue().equals(told.put(entry.getKey(), entry.getValue()))) {
                        store.acknowledgePause(proxy.proxyId(), entry.getKey(), entry.getValue());
                    }
                }
            }
            if (changes.tryAcquire((quiet ? ALIVE : LOOK).toMillis(), TimeUnit.MILLISECONDS)) {
                changes.drainPermits();
            }
        }
        store.proxyGone(proxy.proxyId());
    }

    private void pause() {
        try {
            Thread.sleep(RETRY_PAUSE);
        } catch (InterruptedException stopped) {
            closed = true;
        }
    }
}
