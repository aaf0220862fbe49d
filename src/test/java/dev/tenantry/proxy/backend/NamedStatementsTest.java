package dev.tenantry.proxy.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NamedStatementsTest {

    private static final Map<String, String> SETTINGS = Map.of("datestyle", "ISO");

    private static final String OTHER = "other";

    private final NamedStatements statements = new NamedStatements();
    private final long before = System.nanoTime();

    @BeforeEach
    void parse() {
        statements.put("s", "first");
        statements.parsed("s", SETTINGS);
    }

    @Test
    void knowsHowItWasParsed() {
        assertThat(statements.isParsed("s", Map.copyOf(SETTINGS), OTHER, before))
                .isTrue();
        assertThat(statements.isParsed("s", Map.of(), OTHER, before)).isFalse();
        assertThat(statements.isParsed("t", SETTINGS, OTHER, before)).isFalse();
    }

    @Test
    void knowsWhenItWasParsed() {
        long after = System.nanoTime() + 1;
        assertThat(statements.isParsed("s", SETTINGS, OTHER, after)).isFalse();
        assertThat(statements.isParsed("s", SETTINGS, "first", after)).isTrue();
    }

    @Test
    void knowsNothingOfWhatWasPutWithoutParse() {
        assertThat(statements.put("s", "second")).isEqualTo("first");
        assertThat(statements.isParsed("s", SETTINGS, OTHER, before)).isFalse();
    }

    @Test
    void knowsNothingAfterSomethingWasUndone() {
        statements.undone();
        assertThat(statements.isParsed("s", SETTINGS, OTHER, before)).isFalse();
        statements.parsed("s", SETTINGS);
        assertThat(statements.isParsed("s", SETTINGS, OTHER, before)).isTrue();
    }

    @Test
    void isStillParsedForWhoAdoptsIt() {
        statements.adopt("s", "second");
        assertThat(statements.get("s")).isEqualTo("second");
        assertThat(statements.isParsed("s", SETTINGS, "first", System.nanoTime() + 1))
                .isTrue();
        assertThat(statements.isParsed("s", SETTINGS, OTHER, before)).isTrue();
    }

    @Test
    void removesOnlyWhatIsMeant() {
        assertThat(statements.remove("s", "second")).isFalse();
        assertThat(statements.remove("s", "first")).isTrue();
        assertThat(statements.get("s")).isNull();
        statements.put("s", "third");
        assertThat(statements.isParsed("s", SETTINGS, OTHER, before)).isFalse();
    }

    @Test
    void countsWhatHasName() {
        statements.put("", "unnamed");
        assertThat(statements.size()).isEqualTo(1);
        statements.clear();
        assertThat(statements.size()).isZero();
    }
}
