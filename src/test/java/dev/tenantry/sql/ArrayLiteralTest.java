package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArrayLiteralTest {

    @Test
    void foldsNothing() {
        assertThat(ArrayLiteral.elements("{Acme,\"Acme\", b}")).containsExactly("Acme", "Acme", "b");
    }

    @Test
    void keepsBlanksInsideAndNoneAround() {
        assertThat(ArrayLiteral.elements(" { Odd Name\t, \" x \" ,a\\  } ")).containsExactly("Odd Name", " x ", "a ");
    }

    @Test
    void readsBackslashesInAndOutsideOfQuotes() {
        assertThat(ArrayLiteral.elements("{\"a\\\"b\",\"c\\\\d\",e\\,f,\"\"}"))
                .containsExactly("a\"b", "c\\d", "e,f", "");
    }

    @Test
    void takesTheWordForNullWhereNothingProtectsIt() {
        assertThat(ArrayLiteral.elements("{NULL,null,\"NULL\",n\\ull}")).containsExactly("NULL", "null");
    }

    @Test
    void readsAllDimensions() {
        assertThat(ArrayLiteral.elements("{{a,b},{c,d}}")).containsExactly("a", "b", "c", "d");
        assertThat(ArrayLiteral.elements("{}")).isEmpty();
        assertThat(ArrayLiteral.elements("{ }")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "{",
                "{a",
                "{a,}",
                "{,a}",
                "{a}}",
                "{a}b",
                "{a\"b\"}",
                "{\"a\"b}",
                "{\"a}",
                "{a\\",
                "{{a}b}"
            })
    void findsNothingInWhatPostgresqlRefuses(String text) {
        assertThat(ArrayLiteral.elements(text)).isEmpty();
    }
}
