package dev.tenantry.scram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScramVerifierTest {

    private static final byte[] SALT = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final String KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    @Test
    void readsWhatItWrites() {
        ScramVerifier made = ScramVerifier.of("secret", 4096, SALT);
        assertThat(ScramVerifier.parse(made.toString())).contains(made);
        assertThat(made.iterations()).isEqualTo(4096);
        assertThat(made.salt()).isEqualTo(SALT);
        assertThat(made.storedKey()).hasSize(ScramVerifier.KEY_BYTES);
        assertThat(made.serverKey()).hasSize(ScramVerifier.KEY_BYTES);
    }

    @Test
    void knowsItsPasswordAndNoOther() {
        ScramVerifier verifier = ScramVerifier.of("secret", 4096, SALT);
        assertThat(verifier.matches("secret")).isTrue();
        assertThat(verifier.matches("Secret")).isFalse();
        assertThat(verifier.matches("secret ")).isFalse();
        assertThat(verifier.matches("")).isFalse();
    }

    @Test
    void preparesPasswordsByStringprep() {
        // U+00AA maps to "a" and U+00AD to nothing (RFC 4013); U+0221 is unassigned in Unicode 3.2, so taken as it is.
        assertThat(ScramVerifier.of("\u00aa\u00ad1", 4096, SALT).matches("a1")).isTrue();
        assertThat(ScramVerifier.of("\u0221x", 4096, SALT).matches("\u0221x")).isTrue();
    }

    @Test
    void givesOutCopies() {
        ScramVerifier verifier = ScramVerifier.of("secret", 4096, SALT);
        verifier.storedKey()[0] ^= 1;
        verifier.salt()[0] ^= 1;
        assertThat(verifier.matches("secret")).isTrue();
    }

    @Test
    void refusesEmptyPassword() {
        assertThatIllegalArgumentException().isThrownBy(() -> ScramVerifier.of("", 4096, SALT));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "md5d41d8cd98f00b204e9800998ecf8427e",
                "SCRAM-SHA-256$",
                "SCRAM-SHA-256$0:QUJD$" + "x" + ":y",
                "SCRAM-SHA-256$4096:QUJD$QUJD:QUJD",
                "SCRAM-SHA-256$9999999999:QUJD$" + KEY + ":" + KEY,
                "SCRAM-SHA-256$4096:=$" + KEY + ":" + KEY,
                "SCRAM-SHA-512$4096:QUJD$" + KEY + ":" + KEY,
                " SCRAM-SHA-256$4096:QUJD$" + KEY + ":" + KEY
            })
    void refusesAnythingElse(String text) {
        assertThat(ScramVerifier.parse(text)).isEmpty();
    }

    @Test
    void readsPostgresOwnForm() {
        assertThat(ScramVerifier.parse("SCRAM-SHA-256$4096:QUJD$" + KEY + ":" + KEY))
                .hasValueSatisfying(verifier -> assertThat(verifier.salt()).isEqualTo(new byte[] {'A', 'B', 'C'}));
    }
}
