package dev.tenantry.control;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Pause;
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
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
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

    /** Most transactions end at once, and then nothing need be said of them. */
    private static final Duration SOON = Duration.ofMillis(10);

    /** Sessions tell when they have ended a transaction, but for those that leave. */
    private static final Duration LOOK = Duration.ofMillis(50);

    /** Less than half of what makes a proxy without a session count as dead; see tenantry.live_proxy. */
    private static final Duration ALIVE = Duration.ofSeconds(2);

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
            AtomicBoolean lost = new AtomicBoolean();
            connection.onClose(() -> {
                lost.set(true);
                loop.wake();
            });
            CatalogStore store = new CatalogStore(connection);
            store.commitLightly();
            follow(store, lost);
        } catch (IllegalStateException stopping) {
            LOG.debugf("pauses are not acknowledged any more reason=%s", stopping.getMessage());
        }
    }

    /** Until it is closed; or the next word fails, which is at once when the connection is lost. */
    private void follow(CatalogStore store, AtomicBoolean lost) throws InterruptedException {
        Map<Long, Integer> told = new HashMap<>();
        Set<Long> met = new HashSet<>();
        Instant aliveUntil = Instant.EPOCH;
        while (!loop.isClosed()) {
            if (lost.get() || Instant.now().isAfter(aliveUntil)) {
                store.proxyAlive(proxy.proxyId());
                aliveUntil = Instant.now().plus(ALIVE);
            }
            Pauses pauses = catalog.current().pauses();
            Set<Long> known = pauses.all().stream().map(Pause::id).collect(Collectors.toSet());
            told.keySet().retainAll(known);
            met.retainAll(known);
            Duration next = ALIVE;
            Map<Long, Integer> counted = pauses == Pauses.NONE ? Map.of() : proxy.running(pauses, changed);
            for (Map.Entry<Long, Integer> entry : counted.entrySet()) {
                int running = entry.getValue();
                boolean isNew = met.add(entry.getKey());
                if (running > 0) {
                    next = isNew || next == SOON ? SOON : LOOK;
                }
                if ((running == 0 || !isNew) && !Integer.valueOf(running).equals(told.put(entry.getKey(), running))) {
                    store.acknowledgePause(proxy.proxyId(), entry.getKey(), running);
                }
            }
            loop.pause(next);
        }
        store.proxyGone(proxy.proxyId());
    }
}
