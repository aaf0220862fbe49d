package dev.tenantry.activity;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Cancel requests between one proxy and the others: their keys are secrets. Safe from any thread; never blocks. */
public interface ForeignCancels {

    /** Which proxy this is. */
    String proxyId();

    /**
     * A client's request that has a key of another proxy, perhaps.
     *
     * @param id nobody else's
     * @param secret what makes it more than a number that anybody can see
     * @param askedNanos when, of {@link System#nanoTime()}
     */
    record Request(UUID id, int processId, byte[] secret, long askedNanos) {}

    /** Requests come from now on, and the action, which must not block, is run for each one. */
    void onRequest(Runnable action);

    /** Those that have come since the last call; each has to be settled. */
    List<Request> requests();

    /** So many other proxies have been asked, which takes a moment. */
    void handedOn(Request request, int proxies);

    /** No other proxy can have given that key out. */
    void unknown(Request request);

    /** It could not be handed on, or not in time. */
    void dropped(Request request);

    /** A proxy that was asked has dealt with it; nothing happens if this one has not asked. */
    void dealtWith(UUID id);

    /**
     * Another proxy asks; nothing happens unless the key is right.
     *
     * @return completes when the nodes have taken notice
     */
    CompletableFuture<Void> take(int processId, byte[] secret);
}
