package dev.tenantry.proxy.server;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The keys by which clients cancel: random, our own, never a node's. Safe from any thread.
 */
final class CancelKeys {
    private static final int LENGTH_3_0 = 4;
    private static final int LENGTH_3_2 = 32;

    private final SecureRandom random = new SecureRandom();
    private final Map<Integer, Entry> byProcessId = new ConcurrentHashMap<>();

    /** A key given to a client. */
    record Key(int processId, byte[] secret) {}

    private record Entry(byte[] secret, Supplier<CompletableFuture<Void>> cancel) {}

    /** A key for a client that speaks protocol 3.{@code minor}; {@code cancel} may run on any thread. */
    Key issue(int minor, Supplier<CompletableFuture<Void>> cancel) {
        byte[] secret = new byte[minor >= 2 ? LENGTH_3_2 : LENGTH_3_0];
        random.nextBytes(secret);
        Entry entry = new Entry(secret, cancel);
        while (true) {
            int processId = random.nextInt() & Integer.MAX_VALUE;
            if (processId != 0 && byProcessId.putIfAbsent(processId, entry) == null) {
                return new Key(processId, secret);
            }
        }
    }

    /** The client is gone. */
    void revoke(Key key) {
        byProcessId.remove(key.processId());
    }

    /**
     * Somebody asks to cancel; nothing happens unless the key is right.
     *
     * @return completes, on any thread, when what runs has been told
     */
    CompletableFuture<Void> cancel(int processId, byte[] secret) {
        Entry entry = byProcessId.get(processId);
        return entry != null && MessageDigest.isEqual(entry.secret(), secret)
                ? entry.cancel().get()
                : CompletableFuture.completedFuture(null);
    }
}
