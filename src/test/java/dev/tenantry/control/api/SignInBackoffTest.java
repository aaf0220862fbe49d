package dev.tenantry.control.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SignInBackoffTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final String HERE = "192.0.2.1";

    private final SignInBackoff backoff = new SignInBackoff();

    private void exhaust(String address, String role) {
        for (int i = 0; i < SignInBackoff.FREE_FOR_ROLE; i++) {
            assertThat(backoff.attempt(address, role, START)).isZero();
        }
    }

    @Test
    void waitsTwiceAsLongEachTimeUpToAMinute() {
        Instant now = START;
        List<Long> waits = new ArrayList<>();
        exhaust(HERE, "ann");
        for (int i = 0; i < 9; i++) {
            Duration wait = backoff.attempt(HERE, "ann", now);
            waits.add(wait.toSeconds());
            now = now.plus(wait);
            assertThat(backoff.attempt(HERE, "ann", now)).isZero();
        }
        assertThat(waits).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L, 60L);
    }

    @Test
    void doesNotCountAttemptsThatCameTooEarly() {
        exhaust(HERE, "ann");
        for (int i = 0; i < 50; i++) {
            assertThat(backoff.attempt(HERE, "ann", START)).hasSeconds(1);
        }
        assertThat(backoff.attempt(HERE, "ann", START.plusSeconds(1))).isZero();
    }

    @Test
    void holdsUpNeitherOtherRolesNorOtherAddresses() {
        exhaust(HERE, "ann");
        assertThat(backoff.attempt(HERE, "bob", START)).isZero();
        assertThat(backoff.attempt("192.0.2.2", "ann", START)).isZero();
    }

    @Test
    void holdsUpAnAddressThatTriesManyRoles() {
        for (int i = 0; i < SignInBackoff.FREE_FOR_ADDRESS; i++) {
            assertThat(backoff.attempt(HERE, "role" + i, START)).isZero();
        }
        assertThat(backoff.attempt(HERE, "another", START)).isPositive();
        assertThat(backoff.attempt("192.0.2.2", "another", START)).isZero();
    }

    @Test
    void forgetsAfterSuccessAndAfterSilence() {
        exhaust(HERE, "ann");
        backoff.succeeded(HERE, "ann");
        exhaust(HERE, "ann");
        Instant later = START.plus(SignInBackoff.FORGIVEN_AFTER).plusSeconds(1);
        for (int i = 0; i < SignInBackoff.FREE_FOR_ROLE; i++) {
            assertThat(backoff.attempt(HERE, "ann", later)).isZero();
        }
    }

    @Test
    void neverCountsWhoSucceeds() {
        for (int i = 0; i < 10 * SignInBackoff.FREE_FOR_ADDRESS; i++) {
            assertThat(backoff.attempt(HERE, "ann", START)).isZero();
            backoff.succeeded(HERE, "ann");
        }
    }

    @Test
    void remembersABoundedNumber() {
        for (int i = 0; i < 3 * SignInBackoff.REMEMBERED_MAX; i++) {
            backoff.attempt("address" + i, "ann", START);
        }
        assertThat(backoff.remembered()).isEqualTo(SignInBackoff.REMEMBERED_MAX);
    }
}
