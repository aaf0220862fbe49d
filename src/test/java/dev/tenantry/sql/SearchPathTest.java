package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SearchPathTest {

    @Test
    void foldsNamesWithoutQuotesOnly() {
        assertThat(SearchPath.parse(" Acme ,\"Acme\" , \"$user\",\tpublic\n"))
                .contains(List.of("acme", "Acme", "$user", "public"));
    }

    @Test
    void keepsCommasBlanksAndQuotesInQuotes() {
        assertThat(SearchPath.parse("\"a, b\",\"c\"\"d\",\"\"")).contains(List.of("a, b", "c\"d", ""));
    }

    @Test
    void takesEmptyTextForNoNames() {
        assertThat(SearchPath.parse("")).contains(List.of());
        assertThat(SearchPath.parse("  \t")).contains(List.of());
    }

    @ParameterizedTest
    @ValueSource(strings = {",", "a,", ",a", "a b", "\"a", "a,,b", "\"a\"b", "\"a\" \"b\""})
    void refusesWhatPostgresqlRefuses(String text) {
        assertThat(SearchPath.parse(text)).isEmpty();
    }

    @Test
    void cutsNamesBetweenCharactersAt63Bytes() {
        assertThat(SearchPath.parse("é".repeat(40)).orElseThrow().getFirst()).isEqualTo("é".repeat(31));
        assertThat(SearchPath.parse("\"" + "x".repeat(80) + "\"").orElseThrow().getFirst())
                .isEqualTo("x".repeat(63));
    }

    @Test
    void formatsWhatItReadsBack() {
        List<String> names = List.of("acme", "Acme", "$user", "group", "value", "a\"b", "", "1a", "a b", "é");
        assertThat(SearchPath.format(names))
                .isEqualTo("acme, \"Acme\", \"$user\", \"group\", value, \"a\"\"b\", \"\", \"1a\", \"a b\", \"é\"");
        assertThat(SearchPath.parse(SearchPath.format(names))).contains(names);
    }
}
