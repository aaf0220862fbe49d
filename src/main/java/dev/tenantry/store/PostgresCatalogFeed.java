package dev.tenantry.store;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.TracelessNodes;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest snapshot of the coordinator's catalog: one virtual thread listens for notifications, looks again at
 * every poll interval, and swaps one reference. While the coordinator is away the last snapshot stays, and the thread
 * connects again with growing pauses and then reads everything anew. All methods may be called from any thread.
 */
public final class PostgresCatalogFeed implements CatalogFeed, AutoCloseable {

    private static final Logger LOG = Logger.getLogger(PostgresCatalogFeed.class);
    private static final String CHANNEL = "tenantry_catalog";
    private static final Duration PAUSE_MIN = Duration.ofMillis(100);
    private static final long CLOSE_MAX_MILLIS = 5_000;

    /** Dropped schemas are remembered for a day; a reader that was asleep for long must not rely on that. */
    private static final Duration FOLLOW_MAX = Duration.ofHours(1);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final FeedLimits limits;

    /** Reasons to look: requests to answer, or a notification, which nobody waits for. */
    private final BlockingQueue<CompletableFuture<CatalogSnapshot>> wakeUps = new LinkedBlockingQueue<>();

    private final CompletableFuture<CatalogSnapshot> first = new CompletableFuture<>();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<String>> words = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private final TracelessNodes traceless = new TracelessNodes();
    private volatile @Nullable CatalogSnapshot current;
    private volatile Instant lastContact = Instant.EPOCH;
    private volatile boolean closed;

    /** Makes a feed that does nothing until started. */
    public PostgresCatalogFeed(Vertx vertx, CoordinatorAddress coordinator, FeedLimits limits) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.limits = limits;
        this.thread = Thread.ofVirtual().name("catalog-feed").unstarted(this::run);
    }

    /** Starts, and returns when the first snapshot is there, however long the coordinator takes. */
    public CatalogSnapshot start() throws InterruptedException {
        thread.start();
        try {
            return first.get();
        } catch (ExecutionException failed) {
            throw new IllegalStateException("the catalog feed ended before its first snapshot", failed);
        }
    }

    @Override
    public TracelessNodes traceless() {
        return traceless;
    }

    @Override
    public CatalogSnapshot current() {
        CatalogSnapshot snapshot = current;
        if (snapshot == null) {
            throw new IllegalStateException("the catalog has not been read yet");
        }
        return snapshot;
    }

    @Override
    public CatalogSnapshot refresh() {
        CompletableFuture<CatalogSnapshot> request = new CompletableFuture<>();
        wakeUps.add(request);
        try {
            return request.get(limits.answerMax().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return current();
        } catch (ExecutionException | TimeoutException unanswered) {
            return current();
        }
    }

    @Override
    public void onChange(Runnable action) {
        listeners.add(action);
    }

    @Override
    public void forget(Runnable action) {
        listeners.remove(action);
    }

    /**
     * Passes on what proxies tell each other on the catalog's channel, until it is forgotten: anything but that the
     * catalog has changed. The listener must not block, nor believe what it hears: any role can notify.
     */
    public void onWord(Consumer<String> listener) {
        words.add(listener);
    }

    /** Tells that listener nothing more. */
    public void forgetWord(Consumer<String> listener) {
        words.remove(listener);
    }

    /** Whether a first snapshot is there. */
    public boolean hasSnapshot() {
        return current != null;
    }

    /** When the coordinator last confirmed the snapshot; the epoch if never. */
    public Instant lastContact() {
        return lastContact;
    }

    /** Stops it; returns when its connection has been closed, or it takes too long. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        first.completeExceptionally(new IllegalStateException("closed"));
        try {
            thread.join(CLOSE_MAX_MILLIS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        Duration pause = PAUSE_MIN;
        boolean reported = false;
        while (!closed) {
            Instant before = lastContact;
            try (ServerConnection connection =
                    ServerConnection.openToRepeat(vertx, coordinator, limits.answerMax(), limits.answerMax())) {
                follow(connection, reported);
            } catch (CatalogUnavailableException | StatementRefusedException failed) {
                reported = report(failed, reported && before.equals(lastContact));
            } catch (RuntimeException ours) {
                LOG.error("catalog feed failed and starts afresh", ours);
            }
            pause = before.equals(lastContact) ? doubled(pause) : PAUSE_MIN;
            answerDuring(pause);
        }
        first.completeExceptionally(new IllegalStateException("closed"));
    }

    private boolean report(RuntimeException failed, boolean reportedBefore) {
        if (!reportedBefore && !closed) {
            if (hasSnapshot()) {
                LOG.warnf(
                        "coordinator is away, going on with the last catalog node=%s reason=%s",
                        coordinator, failed.getMessage());
            } else {
                LOG.warnf("waiting for the coordinator node=%s reason=%s", coordinator, failed.getMessage());
            }
        }
        return true;
    }

    private Duration doubled(Duration pause) {
        Duration longer = pause.multipliedBy(2);
        return longer.compareTo(limits.reconnectPauseMax()) > 0 ? limits.reconnectPauseMax() : longer;
    }

    /** Reads until the connection breaks or the catalog should be read anew. */
    private void follow(ServerConnection connection, boolean returned) {
        connection.onNotification(this::notified);
        connection.onClose(() -> wakeUps.add(new CompletableFuture<>()));
        connection.query("LISTEN " + CHANNEL);
        CatalogReader reader = new CatalogReader(connection);
        Instant started = Instant.now();
        List<CompletableFuture<CatalogSnapshot>> asked = new ArrayList<>();
        while (!closed && Instant.now().isBefore(started.plus(FOLLOW_MAX))) {
            try {
                publish(reader.next(current), asked);
            } finally {
                answer(asked);
            }
            if (returned) {
                LOG.infof("coordinator is back, catalog read anew node=%s", coordinator);
                returned = false;
            }
            awaitWork(limits.pollInterval(), asked);
        }
        answer(asked);
    }

    private void notified(String payload) {
        if (payload.isEmpty()) {
            wakeUps.add(new CompletableFuture<>());
        } else {
            words.forEach(listener -> listener.accept(payload));
        }
    }

    private void publish(CatalogSnapshot snapshot, List<CompletableFuture<CatalogSnapshot>> asked) {
        boolean changed = snapshot != current;
        current = snapshot;
        lastContact = Instant.now();
        first.complete(snapshot);
        if (changed) {
            listeners.forEach(Runnable::run);
        }
        asked.forEach(request -> request.complete(snapshot));
        asked.clear();
    }

    /** Waits for the next reason to look and takes all there are: one reading answers them all. */
    private void awaitWork(Duration atMost, List<CompletableFuture<CatalogSnapshot>> asked) {
        try {
            CompletableFuture<CatalogSnapshot> request = wakeUps.poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
            if (request != null) {
                asked.add(request);
                wakeUps.drainTo(asked);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new CatalogUnavailableException("the catalog feed was stopped", stopped);
        }
    }

    /** While there is no connection, whoever asks gets the newest snapshot there is. */
    private void answerDuring(Duration pause) {
        long end = System.nanoTime() + pause.toNanos();
        List<CompletableFuture<CatalogSnapshot>> asked = new ArrayList<>();
        for (long left = pause.toNanos(); left > 0 && !closed; left = end - System.nanoTime()) {
            try {
                awaitWork(Duration.ofNanos(left).plusMillis(1), asked);
            } catch (CatalogUnavailableException stopped) {
                return;
            } finally {
                answer(asked);
            }
        }
    }

    private void answer(List<CompletableFuture<CatalogSnapshot>> asked) {
        CatalogSnapshot newest = current;
        for (CompletableFuture<CatalogSnapshot> request : asked) {
            if (newest != null) {
                request.complete(newest);
            }
        }
        asked.clear();
    }
}
