package dev.tenantry.proxy.server;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The keys by which clients cancel: random, our own, never a node's. The number that stands for the process id begins
 * with the first 12 bits of the proxy's id, so that other proxies know whom to ask. Safe from any thread.
 */
final class CancelKeys {
    /** Hexadecimal digits of the proxy's id that are in the number; the coordinator goes by them too. */
    private static final int PROXY_DIGITS = 3;

    private static final int RANDOM_BITS = Integer.SIZE - 1 - 4 * PROXY_DIGITS;
    private static final int LENGTH_3_0 = 4;
    private static final int LENGTH_3_2 = 32;

    private final int proxyBits;
    private final SecureRandom random = new SecureRandom();
    private final Map<Integer, Entry> byProcessId = new ConcurrentHashMap<>();

    /** Keys of a proxy; its id begins with three hexadecimal digits at least. */
    CancelKeys(String proxyId) {
        this.proxyBits = Integer.parseInt(proxyId, 0, PROXY_DIGITS, 16) << RANDOM_BITS;
    }

    /** A key given to a client. */
    record Key(int processId, byte[] secret) {}

    private record Entry(byte[] secret, Supplier<CompletableFuture<Void>> cancel) {}

    /** A key for a client that speaks protocol 3.{@code minor}; {@code cancel} may run on any thread. */
    Key issue(int minor, Supplier<CompletableFuture<Void>> cancel) {
        byte[] secret = new byte[minor >= 2 ? LENGTH_3_2 : LENGTH_3_0];
        random.nextBytes(secret);
        Entry entry = new Entry(secret, cancel);
        while (true) { // there are twenty times as many as sessions may be
            int processId = proxyBits | random.nextInt(1 << RANDOM_BITS);
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
     * Somebody asks to cancel.
     *
     * @return empty when the key is none of ours; completes, on any thread, when what runs has been told
     */
    Optional<CompletableFuture<Void>> cancel(int processId, byte[] secret) {
        Entry entry = byProcessId.get(processId);
        return entry != null && MessageDigest.isEqual(entry.secret(), secret)
                ? Optional.of(entry.cancel().get())
                : Optional.empty();
    }
}
