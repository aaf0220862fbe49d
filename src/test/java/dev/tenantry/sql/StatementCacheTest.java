package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatementCacheTest {

    private final StatementCache cache = new StatementCache(64 * 1024);

    private List<StatementFacts> scan(String sql, LexicalRules rules) {
        byte[] bytes = ("##" + sql + "##").getBytes(StandardCharsets.UTF_8);
        return cache.scan(bytes, 2, bytes.length - 4, rules);
    }

    private List<StatementFacts> scan(String sql) {
        return scan(sql, LexicalRules.DEFAULT);
    }

    @Test
    void givesTheSameFactsForTheSameText() {
        scan("select * from a.b");
        assertThat(scan("select * from a.b")).isSameAs(scan("select * from a.b"));
        assertThat(cache.hits()).isEqualTo(1);
        assertThat(cache.misses()).isEqualTo(2);
    }

    @Test
    void keepsOnlyTextsThatComeAgain() {
        for (int i = 0; i < 1000; i++) {
            scan("select " + i);
        }
        assertThat(cache.bytes()).isLessThan(4096);
        scan("select 999");
        long hits = cache.hits();
        scan("select 999");
        assertThat(cache.hits()).isEqualTo(hits + 1);
    }

    @Test
    void keepsTextsApartByTheirLexicalRules() {
        String sql = "select '\\'; select * from a.b -- '";
        assertThat(scan(sql)).hasSize(2);
        assertThat(scan(sql, new LexicalRules(false, StandardCharsets.UTF_8))).hasSize(1);
        assertThat(scan(sql)).hasSize(2);
    }

    @Test
    void forgetsTheLeastRecentlyUsedFirst() {
        scan("select 'kept'");
        List<StatementFacts> kept = scan("select 'kept'");
        for (int i = 0; i < 10_000; i++) {
            scan("select " + i + " from some_table_" + i);
            scan("select " + i + " from some_table_" + i);
            assertThat(scan("select 'kept'")).isSameAs(kept);
            assertThat(cache.bytes()).isLessThanOrEqualTo(64 * 1024);
        }
        assertThat(cache.size()).isBetween(100, 400);
        long misses = cache.misses();
        scan("select 0 from some_table_0");
        assertThat(cache.misses()).isEqualTo(misses + 1);
    }

    @Test
    void doesNotKeepTextsThatAreTooLarge() {
        scan("select '" + "x".repeat(5000) + "'");
        scan("select '" + "x".repeat(5000) + "'");
        assertThat(cache.size()).isZero();
        assertThat(cache.bytes()).isZero();
    }
}
