package dev.tenantry.control.cancel;

import dev.tenantry.activity.ForeignCancels;
import dev.tenantry.activity.ForeignCancels.Request;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CatalogStore.Cancel;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.PostgresCatalogFeed;
import dev.tenantry.store.ServerConnection;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Hands cancel requests on, by a table of the coordinator that only superusers read:
 *
 * <pre>
 * proxy that was asked   adds a row for each live proxy that the key names, notifies "cancel PROXY"
 * proxy of the session   takes its rows out, cancels, and when the node has been told notifies "cancelled ID"
 * proxy that was asked   lets the requester go when all that it has asked have told
 * </pre>
 *
 * What is older than two seconds is not carried out, so that no later statement is hit. Connects to the coordinator
 * only when there is something to do. Runs on one virtual thread.
 */
public final class CancelExchange implements AutoCloseable {
    private static final String ASKED = "cancel ";
    private static final String DONE = "cancelled ";

    /** As long as this a request waits for the coordinator. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(1);

    private static final Duration IDLE_MAX = Duration.ofSeconds(10);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final PostgresCatalogFeed feed;
    private final ForeignCancels proxy;
    private final BackgroundLoop loop = new BackgroundLoop("cancels", Duration.ofMillis(100), this::serve, this::leave);
    private final Consumer<String> words = this::onWord;
    private final AtomicBoolean asked = new AtomicBoolean();
    private final Queue<UUID> done = new ConcurrentLinkedQueue<>();
    private final List<Request> waiting = new ArrayList<>();

    /** Makes one that does nothing until started. */
    public CancelExchange(Vertx vertx, CoordinatorAddress coordinator, PostgresCatalogFeed feed, ForeignCancels proxy) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.feed = feed;
        this.proxy = proxy;
    }

    /** Begins to take requests, the proxy's own and those of others. */
    public void start() {
        feed.onWord(words);
        proxy.onRequest(loop::wake);
        loop.start();
    }

    /** Stops it; returns when its connection has been closed, or it takes too long. */
    @Override
    public void close() {
        feed.forgetWord(words);
        loop.close();
    }

    private void onWord(String word) {
        if (word.equals(ASKED + proxy.proxyId())) {
            asked.set(true);
            loop.wake();
        } else if (word.startsWith(DONE)) {
            try {
                proxy.dealtWith(UUID.fromString(word.substring(DONE.length())));
            } catch (IllegalArgumentException notOurs) {
                // anybody may notify
            }
        }
    }

    private boolean hasWork() {
        waiting.addAll(proxy.requests());
        return !waiting.isEmpty() || asked.get() || !done.isEmpty();
    }

    private void serve(BackgroundLoop running) throws InterruptedException {
        while (!hasWork()) {
            running.pause(IDLE_MAX);
            if (running.isClosed()) {
                return;
            }
        }
        boolean connected = false;
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
            CatalogStore store = new CatalogStore(connection);
            connected = true; // if it is lost, what it was wanted for is tried again
            while (hasWork() && !running.isClosed()) {
                serve(store);
                if (!hasWork()) {
                    running.pause(IDLE_MAX);
                }
            }
        } finally {
            if (!connected) {
                asked.set(false);
                done.clear();
            }
            dropLate();
        }
    }

    private void dropLate() {
        long now = System.nanoTime();
        waiting.removeIf(request -> {
            boolean late = now - request.askedNanos() > ANSWER_MAX.toNanos();
            if (late) {
                proxy.dropped(request);
            }
            return late;
        });
    }

    private void serve(CatalogStore store) {
        if (asked.getAndSet(false)) {
            takeAll(store);
        }
        for (UUID id = done.peek(); id != null; id = done.peek()) {
            store.cancelled(id);
            done.remove();
        }
        dropLate();
        if (waiting.isEmpty()) {
            return;
        }
        Map<UUID, Integer> proxies = store.handOnCancels(
                proxy.proxyId(),
                waiting.stream()
                        .map(request -> new Cancel(request.id(), request.processId(), request.secret()))
                        .toList());
        for (Request request : waiting) {
            Integer asked = proxies.get(request.id());
            if (asked == null) {
                proxy.unknown(request);
            } else {
                proxy.handedOn(request, asked);
            }
        }
        waiting.clear();
    }

    private void takeAll(CatalogStore store) {
        boolean taken = false;
        try {
            for (Cancel cancel : store.takeCancels(proxy.proxyId())) {
                proxy.take(cancel.processId(), cancel.secret()).whenComplete((told, problem) -> {
                    done.add(cancel.id());
                    loop.wake();
                });
            }
            taken = true;
        } finally {
            if (!taken) {
                asked.set(true);
            }
        }
    }

    private void leave() {
        waiting.addAll(proxy.requests());
        waiting.forEach(proxy::dropped);
    }
}
