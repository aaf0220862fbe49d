package dev.tenantry.control.api;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Slows down who tries one password after another: after some attempts of an address for a role, or for any roles, the
 * next must wait, each time twice as long. Checking a password costs the server milliseconds, so attempts that come too
 * early are not checked at all. Remembers a bounded number of addresses and roles, the latest ones. Thread-safe.
 */
final class SignInBackoff {

    /** Attempts of an address for one role that need not wait. */
    static final int FREE_FOR_ROLE = 5;

    /** Attempts of an address for all roles together that need not wait. */
    static final int FREE_FOR_ADDRESS = 100;

    /** The longest wait. */
    static final Duration WAIT_MAX = Duration.ofMinutes(1);

    /** After so long without an attempt everything is forgiven. */
    static final Duration FORGIVEN_AFTER = Duration.ofMinutes(10);

    /** How many addresses with roles are remembered. */
    static final int REMEMBERED_MAX = 10_000;

    private static final String ANY_ROLE = "";
    private static final int DOUBLINGS_MAX = 6;

    private record Key(String address, String role) {}

    private record Attempts(int count, Instant last, Instant next) {}

    private final Map<Key, Attempts> remembered = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Attempts> eldest) {
            return size() > REMEMBERED_MAX;
        }
    };

    /** Counts an attempt as failed, until {@link #succeeded}; or says how long to wait before it may be made. */
    synchronized Duration attempt(String address, String role, Instant now) {
        Key ofRole = new Key(address, role);
        Key ofAddress = new Key(address, ANY_ROLE);
        Duration wait = longer(wait(ofRole, now), wait(ofAddress, now));
        if (wait.isZero()) {
            count(ofRole, FREE_FOR_ROLE, now);
            count(ofAddress, FREE_FOR_ADDRESS, now);
        }
        return wait;
    }

    /** The attempt was no guess. */
    synchronized void succeeded(String address, String role) {
        remembered.remove(new Key(address, role));
        remembered.computeIfPresent(
                new Key(address, ANY_ROLE),
                (key, known) -> new Attempts(known.count() - 1, known.last(), known.last()));
    }

    /** How many addresses with roles are remembered now. */
    synchronized int remembered() {
        return remembered.size();
    }

    private Duration wait(Key key, Instant now) {
        Attempts known = remembered.get(key);
        return known == null || !known.next().isAfter(now) ? Duration.ZERO : Duration.between(now, known.next());
    }

    private void count(Key key, int free, Instant now) {
        Attempts known = remembered.get(key);
        int count = known == null || known.last().plus(FORGIVEN_AFTER).isBefore(now) ? 1 : known.count() + 1;
        Duration wait = count < free
                ? Duration.ZERO
                : shorter(WAIT_MAX, Duration.ofSeconds(1L << Math.min(count - free, DOUBLINGS_MAX)));
        remembered.put(key, new Attempts(count, now, now.plus(wait)));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
