package dev.tenantry.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SqlScanner;
import dev.tenantry.sql.StatementFacts;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The search_path is p, q. */
class UsedSchemasTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT FROM a.t JOIN b.t ON true | a b | ''",
                "SELECT FROM a.t JOIN t ON true | a p q | ''",
                "SELECT f() FROM a.t | a p q | ''",
                "SELECT 1 | '' | ''",
                "BEGIN | '' | ''",
                "COMMIT | '' | ''",
                "DO 'whatever' | p q | ''",
                "FROBNICATE | p q | ''",
                "CALL a.f() | a | ''",
                "COPY a.t FROM STDIN | a | ''",
                "PREPARE p AS SELECT FROM a.t | a | ''",
                "DROP SCHEMA a, b | a b | ''",
                "ALTER SCHEMA a RENAME TO b | a | ''",
                "ALTER SCHEMA a OWNER TO b | a | ''",
                "GRANT USAGE ON SCHEMA a, b TO c | a b | ''",
                "SELECT 'a.t'::regclass | a | ''",
                "SET search_path TO a, \"B\" | '' | B a",
                "SET ROLE a | '' | a",
                "SET work_mem TO '1MB' | '' | ''",
                "SELECT pg_catalog.set_config('search_path', 'a, b', true) | '' | a b",
            })
    void tellsWhatAStatementMayUse(String sql, String used, String led) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        StatementFacts facts = new SqlScanner()
                .scan(bytes, 0, bytes.length, LexicalRules.DEFAULT)
                .getFirst();
        Set<String> names = new TreeSet<>();
        UsedSchemas.addTo(names, facts, () -> List.of("p", "q"));
        assertThat(String.join(" ", names)).isEqualTo(used);
        Set<String> set = new TreeSet<>();
        UsedSchemas.addSet(set, facts);
        assertThat(String.join(" ", set)).isEqualTo(led);
    }
}
