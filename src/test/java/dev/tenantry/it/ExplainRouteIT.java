package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.ShownRows;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** EXPLAIN (TENANTRY): where a statement would go, and why, without running it. */
class ExplainRouteIT {

    private final RawClient client = Cluster.shared().login();

    @BeforeAll
    static void start() {
        try (RawClient admin = Cluster.shared().login()) {
            for (int node = 1; node <= 2; node++) {
                admin.succeed("SET tenantry.node = 'worker" + node + "'");
                admin.succeed("CREATE SCHEMA explained" + node);
                admin.succeed("CREATE TABLE explained" + node + ".t (id int)");
            }
        }
    }

    @AfterEach
    void close() {
        client.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT * FROM explained1.t                     | worker1     | QUALIFIED       | explained1",
                "DELETE FROM explained2.t                       | worker2     | QUALIFIED       | explained2",
                "INSERT INTO t VALUES (1)                       | worker2     | SEARCH_PATH     | explained2",
                "SET search_path TO nothing, explained1         | worker1     | SEARCH_PATH     | explained1",
                "SELECT set_config('search_path', 'explained1', false) | worker1 | SEARCH_PATH  | explained1",
                "SELECT FROM pg_class WHERE relname = 'explained1' | worker1  | CATALOG_LITERAL | explained1",
                "SELECT * FROM citus_schemas                    | coordinator | CLUSTER_VIEW    | NULL",
                "SHOW work_mem                                  | coordinator | SESSION         | NULL",
                "SHOW tenantry.pools                            | NULL        | PROXY           | NULL",
                "EXPLAIN SELECT FROM explained1.t               | worker1     | QUALIFIED       | explained1",
                "PREPARE q AS SELECT FROM explained1.t          | worker1     | QUALIFIED       | explained1",
            },
            quoteCharacter = '`')
    void saysWhereAStatementGoesAndWhy(String sql, String node, String reason, String schema) {
        if (reason.equals("SEARCH_PATH")) {
            client.succeed("SET search_path TO explained2");
        }
        assertThat(ShownRows.of(client, "EXPLAIN (tenantry) " + sql))
                .singleElement()
                .satisfies(row -> assertThat(row)
                        .containsEntry("node", node)
                        .containsEntry("reason", reason)
                        .containsEntry("schema", schema)
                        .containsEntry("sqlstate", "NULL"));
    }

    @Test
    void runsNothing() {
        ShownRows.of(client, "EXPLAIN (TENANTRY) INSERT INTO explained1.t VALUES (1)");
        ShownRows.of(client, "EXPLAIN (TENANTRY) DROP SCHEMA explained1 CASCADE");
        ShownRows.of(client, "EXPLAIN (TENANTRY) SET work_mem TO '9MB'");
        ShownRows.of(client, "EXPLAIN (TENANTRY) BEGIN");
        assertThat(client.value("SELECT count(*) FROM explained1.t")).isEqualTo("0");
        assertThat(client.value("SHOW work_mem")).isEqualTo("4MB");
    }

    @Test
    void showsTheRefusalOfWhatIsRefused() {
        String sql = "SELECT FROM explained1.t, explained2.t";
        Message refused = Message.only(client.run(sql), 'E');
        assertThat(ShownRows.of(client, "EXPLAIN (TENANTRY) " + sql))
                .singleElement()
                .satisfies(row -> assertThat(row)
                        .containsEntry("node", "NULL")
                        .containsEntry("reason", "REFUSED")
                        .containsEntry("sqlstate", refused.sqlState())
                        .containsEntry("message", refused.errorMessage())
                        .containsEntry("detail", refused.fields().getOrDefault('D', ""))
                        .containsEntry("hint", refused.fields().getOrDefault('H', "")));
        assertThat(ShownRows.of(client, "EXPLAIN (TENANTRY) SET client_encoding TO 'SJIS'"))
                .singleElement()
                .satisfies(row ->
                        assertThat(row).containsEntry("reason", "REFUSED").containsEntry("sqlstate", "0A000"));
    }

    @Test
    void namesEveryNodeThatHasAPart() {
        assertThat(nodes("ALTER ROLE nobody SET work_mem TO '9MB'"))
                .containsExactly("coordinator", "worker1", "worker2");
        assertThat(nodes("DROP SCHEMA explained2, explained1")).containsExactly("coordinator", "worker2", "worker1");
        assertThat(nodes("CREATE SCHEMA explained3")).containsExactly("coordinator", "NULL");
    }

    @Test
    void knowsTheTransactionAndWhatIsPrepared() {
        client.succeed("PREPARE mine AS SELECT FROM explained2.t");
        assertThat(nodes("EXECUTE mine")).containsExactly("worker2");
        client.succeed("BEGIN");
        client.succeed("SELECT FROM explained1.t");
        assertThat(ShownRows.of(client, "EXPLAIN (TENANTRY) SELECT 1"))
                .singleElement()
                .satisfies(
                        row -> assertThat(row).containsEntry("node", "worker1").containsEntry("reason", "TRANSACTION"));
        client.succeed("ROLLBACK");
    }

    @Test
    void isAnsweredInTheExtendedProtocolWithParametersToo() {
        client.parse("", "EXPLAIN (TENANTRY) SELECT FROM pg_class WHERE relname = $1");
        client.bind("", "", "explained2")
                .describe('P', "")
                .execute("", 0)
                .sync()
                .flushOut();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12TDCZ");
        assertThat(Message.rows(answer).getFirst()).startsWith("worker2", "CATALOG_LITERAL", "explained2");
        assertThat(Message.only(answer, 'C').strings()).containsExactly("EXPLAIN");
        client.parse("", "SHOW tenantry.pins").bind("", "", "1").sync().flushOut();
        assertThat(Message.only(client.readUntilReady(), 'E').sqlState()).isEqualTo("08P01");
    }

    @Test
    void leavesOtherOptionsToTheNode() {
        for (String sql : List.of(
                "EXPLAIN (TENANTRY, ANALYZE) SELECT 1", "EXPLAIN (TENANTRY off) SELECT 1", "EXPLAIN (TENANTRY)")) {
            assertThat(Message.only(client.run(sql), 'E').sqlState()).as(sql).isEqualTo("42601");
        }
        assertThat(client.value("EXPLAIN (COSTS off) SELECT FROM explained1.t")).isEqualTo("Seq Scan on t");
    }

    private List<String> nodes(String sql) {
        return ShownRows.of(client, "EXPLAIN (TENANTRY) " + sql).stream()
                .map(row -> row.getOrDefault("node", ""))
                .toList();
    }
}
