package dev.tenantry.control;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.PauseProgress;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jboss.logging.Logger;

/**
 * Tells the catalog that a proxy is alive, and of each pause that the proxy has heard of it and how many of its
 * sessions still have to end a transaction. On one virtual thread: at once when the catalog changes, and when the last
 * of those sessions has.
 */
final class PauseAcknowledgement implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(PauseAcknowledgement.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

    /** Sessions tell when they have ended a transaction, but for those that leave. */
    private static final Duration LOOK = Duration.ofMillis(50);

    /** A sixth of what makes a proxy count as dead; see tenantry.tenantry_pauses. */
    private static final Duration ALIVE = Duration.ofSeconds(5);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final CatalogFeed catalog;
    private final PauseProgress proxy;
    private final BackgroundLoop loop = new BackgroundLoop("pause-acknowledgement", RETRY_PAUSE, this::follow);
    private final Runnable changed = loop::wake;

    PauseAcknowledgement(Vertx vertx, CoordinatorAddress coordinator, CatalogFeed catalog, PauseProgress proxy) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.catalog = catalog;
        this.proxy = proxy;
    }

    void start() {
        catalog.onChange(changed);
        loop.start();
    }

    /** Stops it; returns when the catalog has been told that the proxy is gone, or that takes too long. */
    @Override
    public void close() {
        catalog.forget(changed);
        loop.closeGently();
    }

    private void follow(BackgroundLoop running) throws InterruptedException {
        try (ServerConnection connection = ServerConnection.openToRepeat(vertx, coordinator, ANSWER_MAX, ANSWER_MAX)) {
            CatalogStore store = new CatalogStore(connection);
            store.commitLightly();
            follow(store);
        } catch (IllegalStateException stopping) {
            LOG.debugf("pauses are not acknowledged any more reason=%s", stopping.getMessage());
        }
    }

    private void follow(CatalogStore store) throws InterruptedException {
        Map<Long, Integer> told = new HashMap<>();
        Instant aliveUntil = Instant.EPOCH;
        while (!loop.isClosed()) {
            if (Instant.now().isAfter(aliveUntil)) {
                store.proxyAlive(proxy.proxyId());
                aliveUntil = Instant.now().plus(ALIVE);
            }
            Pauses pauses = catalog.current().pauses();
            told.keySet().removeIf(id -> pauses.all().stream().noneMatch(pause -> pause.id() == id));
            boolean quiet = true;
            if (pauses != Pauses.NONE) {
                for (Map.Entry<Long, Integer> entry :
                        proxy.running(pauses, changed).entrySet()) {
                    quiet &= entry.getValue() == 0;
                    if (!entry.getValue().equals(told.put(entry.getKey(), entry.getValue()))) {
                        store.acknowledgePause(proxy.proxyId(), entry.getKey(), entry.getValue());
                    }
                }
            }
            loop.pause(quiet ? ALIVE : LOOK);
        }
        store.proxyGone(proxy.proxyId());
    }
}
