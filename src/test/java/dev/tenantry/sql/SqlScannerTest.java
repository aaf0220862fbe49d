package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.sql.StatementFacts.CatalogUse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class SqlScannerTest {

    static List<StatementFacts> scan(String sql) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        return new SqlScanner().scan(bytes, 0, bytes.length, LexicalRules.DEFAULT);
    }

    private static StatementFacts one(String sql) {
        List<StatementFacts> all = scan(sql);
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    @Test
    void findsSchemasOfRelations() {
        assertThat(one("select * from a.b join c.d on true").schemas()).containsExactly("a", "c");
    }

    @Test
    void takesTwoPartColumnsForColumns() {
        StatementFacts facts = one("select tenant1.x from notes as tenant1");
        assertThat(facts.schemas()).isEmpty();
        assertThat(facts.unqualifiedRelation()).isTrue();
    }

    @Test
    void knowsPatternsOfPsql() {
        StatementFacts facts = one("SELECT 1 FROM pg_catalog.pg_class c WHERE n.nspname ~ '^(tenant1)$'");
        assertThat(facts.catalogUse()).isEqualTo(CatalogUse.ONLY);
        assertThat(facts.catalogLiterals()).containsExactly("tenant1");
    }

    @Test
    void splitsStatements() {
        assertThat(scan(" begin ;; select ';' ; commit; ").stream().map(StatementFacts::kind))
                .containsExactly(StatementKind.BEGIN, StatementKind.SELECT, StatementKind.COMMIT);
    }

    @Test
    void findsNothingInBlankText() {
        assertThat(scan(" -- nothing\n ; /* or /* less */ */ ")).isEmpty();
    }
}
