package dev.tenantry.proxy.server;

import dev.tenantry.activity.ForeignCancels;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.dispatch.ProxyMetrics.Cancel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes cancel requests: those of our own sessions are carried out, the others wait to be handed on to the proxies that
 * may know their keys. Whoever asks for nothing real must not make work: so many are handed on in a second and no more.
 * Safe from any thread.
 */
final class CancelDesk implements ForeignCancels {
    /** How many are handed on in a second; as many may come at once. */
    static final int RATE_MAX = 100;

    /** When a requester is let go in any case: others take no notice of what is as old. */
    private static final long ANSWER_MAX_MILLIS = 3_000;

    private final String proxyId;
    private final CancelKeys keys;
    private final ProxyMetrics metrics;
    private final List<Request> waiting = new ArrayList<>();
    private final Map<UUID, Open> open = new ConcurrentHashMap<>();
    private @Nullable Runnable wake;
    private double allowed = RATE_MAX;
    private long allowedNanos = System.nanoTime();

    /** One that is handed on. It ends with the last proxy that was asked: one of the others may know the key. */
    private static final class Open {
        private final CompletableFuture<Void> answer = new CompletableFuture<>();
        private int asked = Integer.MAX_VALUE;
        private int told;

        synchronized void asked(int proxies) {
            asked = proxies;
            endIfAllHaveTold();
        }

        synchronized void told() {
            told++; // perhaps before it is known how many were asked
            endIfAllHaveTold();
        }

        private void endIfAllHaveTold() {
            if (told >= asked) {
                answer.complete(null);
            }
        }
    }

    CancelDesk(String proxyId, CancelKeys keys, ProxyMetrics metrics) {
        this.proxyId = proxyId;
        this.keys = keys;
        this.metrics = metrics;
    }

    /**
     * A client asks.
     *
     * @return completes, on any thread, when what runs has been told, or nothing more is to be expected
     */
    CompletableFuture<Void> request(int processId, byte[] secret) {
        Optional<CompletableFuture<Void>> here = keys.cancel(processId, secret);
        if (here.isPresent()) {
            metrics.cancel(Cancel.OWN);
            return here.get();
        }
        Request request = new Request(UUID.randomUUID(), processId, secret, System.nanoTime());
        Open begun = new Open();
        Runnable toWake = accept(request, begun);
        if (toWake == null) {
            return CompletableFuture.completedFuture(null);
        }
        toWake.run();
        begun.answer.completeOnTimeout(null, ANSWER_MAX_MILLIS, TimeUnit.MILLISECONDS);
        return begun.answer.whenComplete((done, problem) -> open.remove(request.id()));
    }

    /** Whom to wake when it has been accepted. */
    private synchronized @Nullable Runnable accept(Request request, Open begun) {
        if (wake == null || request.processId() <= 0) {
            metrics.cancel(Cancel.UNKNOWN);
            return null;
        }
        if (!isAllowed(request.askedNanos())) {
            metrics.cancel(Cancel.DROPPED);
            return null;
        }
        open.put(request.id(), begun);
        waiting.add(request);
        return wake;
    }

    private boolean isAllowed(long now) {
        double since = (now - allowedNanos) / 1e9;
        allowed = Math.min(RATE_MAX, allowed + since * RATE_MAX);
        allowedNanos = now;
        if (allowed < 1) {
            return false;
        }
        allowed--;
        return true;
    }

    @Override
    public String proxyId() {
        return proxyId;
    }

    @Override
    public synchronized void onRequest(Runnable action) {
        wake = action;
    }

    @Override
    public synchronized List<Request> requests() {
        List<Request> all = List.copyOf(waiting);
        waiting.clear();
        return all;
    }

    @Override
    public void handedOn(Request request, int proxies) {
        metrics.cancel(Cancel.HANDED_ON);
        Open one = open.get(request.id());
        if (one != null) {
            one.asked(proxies);
        }
    }

    @Override
    public void unknown(Request request) {
        metrics.cancel(Cancel.UNKNOWN);
        end(request);
    }

    @Override
    public void dropped(Request request) {
        metrics.cancel(Cancel.DROPPED);
        end(request);
    }

    private void end(Request request) {
        Open one = open.get(request.id());
        if (one != null) {
            one.answer.complete(null);
        }
    }

    @Override
    public void dealtWith(UUID id) {
        Open one = open.get(id);
        if (one != null) {
            one.told();
        }
    }

    @Override
    public CompletableFuture<Void> take(int processId, byte[] secret) {
        Optional<CompletableFuture<Void>> here = keys.cancel(processId, secret);
        metrics.cancel(here.isPresent() ? Cancel.TAKEN : Cancel.UNKNOWN);
        return here.orElseGet(() -> CompletableFuture.completedFuture(null));
    }
}
