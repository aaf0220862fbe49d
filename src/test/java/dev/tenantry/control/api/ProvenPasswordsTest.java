package dev.tenantry.control.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.scram.ScramVerifier;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProvenPasswordsTest {

    private static final byte[] SALT = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final ScramVerifier VERIFIER = ScramVerifier.of("right", 4096, SALT);

    private final ProvenPasswords proven = new ProvenPasswords();

    @Test
    void knowsThePasswordThatWasChecked() {
        assertThat(proven.isProven("ann", VERIFIER, "right")).isFalse();
        proven.proven("ann", VERIFIER, "right");
        assertThat(proven.isProven("ann", VERIFIER, "right")).isTrue();
        assertThat(proven.isProven("ann", VERIFIER, "wrong")).isFalse();
        assertThat(proven.isProven("bob", VERIFIER, "right")).isFalse();
    }

    @Test
    void forgetsItWhenTheRoleHasAnotherVerifier() {
        proven.proven("ann", VERIFIER, "right");
        assertThat(proven.isProven("ann", ScramVerifier.of("new", 4096, SALT), "right"))
                .isFalse();
    }
}
