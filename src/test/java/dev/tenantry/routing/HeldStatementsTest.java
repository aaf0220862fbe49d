package dev.tenantry.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SqlScanner;
import dev.tenantry.sql.StatementFacts;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schema a is paused, by pause 1, and node w2, which has c, joe and "Odd Name", by pause 2; b is beside a on w1. */
class HeldStatementsTest {

    private static final Pauses PAUSES = Pauses.of(List.of(new Pause.OfSchema(1, "a"), new Pause.OfNode(2, 3)));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "SELECT FROM a.t                            | ''     | 1",
                "SELECT FROM b.t                            | ''     | none",
                "SELECT FROM b.t JOIN a.t ON true           | ''     | 1",
                "SELECT FROM t                              | b, a   | 1",
                "SELECT FROM t                              | b      | none",
                "SELECT FROM b.t                            | a      | none",
                "SELECT f() FROM b.t                        | a      | 1",
                "SELECT 1                                   | a      | 1",
                "SELECT FROM c.t                            | ''     | 2",
                "SELECT FROM t                              | $user  | 2",
                "SELECT FROM home.t                         | ''     | none",
                "SET search_path TO a                       | ''     | none",
                "SET search_path TO c                       | ''     | 2",
                "SHOW work_mem                              | ''     | none",
                "SELECT * FROM citus_shards                 | ''     | none",
                "SELECT tenantry_resume_schema('a')         | b      | none",
                "SELECT FROM pg_class WHERE relnamespace = 'a'::regnamespace | '' | 1",
                "DROP SCHEMA a, c                           | ''     | 1 2",
                "ALTER SCHEMA joe RENAME TO jim             | ''     | 2",
                "GRANT USAGE ON SCHEMA a TO joe             | ''     | 1",
                "CREATE SCHEMA d                            | ''     | none",
                "CREATE ROLE r                              | ''     | 2",
                "COMMIT PREPARED 'x'                        | c      | none",
            })
    void isHeldByWhatItNeeds(String sql, String path, String expected) {
        StatementFacts facts = facts(sql);
        Route route = RoutingTableTest.route(sql, path);
        RoutingContext context = RoutingTableTest.context(path);
        Node node =
                route instanceof Route.ToNode to ? to.node() : context.catalog().coordinator();
        assertThat(HeldStatements.pauses(PAUSES, facts, route, node, context).stream()
                        .map(pause -> String.valueOf(pause.id()))
                        .collect(Collectors.joining(" ")))
                .isEqualTo(expected == null ? "" : expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT id, count(*), lower(name) FROM a.t GROUP BY 1, 3",
                "SELECT 'open'::a.state, a.t.id FROM a.t WHERE at > now() FOR UPDATE",
                "WITH x AS (SELECT FROM a.t) SELECT pg_catalog.count(*) FROM x, generate_series(1, 2)",
                "VALUES (1)",
                "TABLE a.t",
                "COPY a.t TO STDOUT",
                "COPY (SELECT FROM a.t) TO STDOUT",
            })
    void takesForReaders(String sql) {
        assertThat(HeldStatements.reads(facts(sql))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT a.f()",
                "SELECT f(1) FROM a.t",
                "SELECT FROM a.f()",
                "SELECT FROM a.t WHERE id = (SELECT b.f(id))",
                "SELECT 1 FOR UPDATE OF t NOWAIT FETCH FIRST (a.f()) ROWS ONLY",
                "VALUES (a.f())",
                "COPY (SELECT a.f()) TO STDOUT",
                "WITH x AS (INSERT INTO a.t VALUES (1) RETURNING id) SELECT FROM x",
                "WITH x AS (DELETE FROM t) SELECT FROM a.t FOR SHARE",
                "COPY (UPDATE a.t SET id = 1 RETURNING id) TO STDOUT",
                "SELECT 1 INTO a.u",
                "INSERT INTO a.t VALUES (1)",
                "EXPLAIN ANALYZE SELECT FROM a.t",
            })
    void takesForWriters(String sql) {
        assertThat(HeldStatements.reads(facts(sql))).isFalse();
    }

    private static StatementFacts facts(String sql) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        return new SqlScanner()
                .scan(bytes, 0, bytes.length, LexicalRules.DEFAULT)
                .getFirst();
    }
}
