package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the proxy says and carries out itself is counted as what nodes do: each error and each statement once. */
class CountedIT {
    private static Cluster cluster;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        cluster.createSchemaOfEachWorker();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void countsErrorsOfItsOwn(boolean extended) {
        try (RawClient client = cluster.login()) {
            assertCounted(client, extended, "0A", "SELECT * FROM w1.t, w2.t");
            assertCounted(client, extended, "42", "CREATE SCHEMA w1");
            assertCounted(client, extended, "42", "CREATE ROLE postgres_nobody IN ROLE nobody_at_all");
            assertCounted(client, extended, "22", "SET citus.enable_schema_based_sharding = maybe");
            assertCounted(client, extended, "22", "SELECT 1 / 0");
            client.succeed("BEGIN");
            assertCounted(client, extended, "0A", "SELECT * FROM w1.t, w2.t");
            assertCounted(client, extended, "25", "SELECT * FROM w1.t");
            client.succeed("ROLLBACK");
        }
    }

    @Test
    void countsErrorsOfStringsAndCommits() {
        try (RawClient client = cluster.login()) {
            assertCounted(client, false, "42", "INSERT INTO w1.t VALUES (1); CREATE SCHEMA w1; SELECT 1");
            assertCounted(client, false, "0A", "SELECT 1; SELECT * FROM w1.t, w2.t");
            client.succeed("BEGIN");
            for (String schema : List.of("w1", "w2")) {
                client.succeed("CREATE TEMP TABLE tmp_" + schema + " AS SELECT * FROM " + schema + ".t");
            }
            assertCounted(client, false, "0A", "COMMIT");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void countsStatementsThatItCarriesOut(boolean extended) {
        try (RawClient client = cluster.login()) {
            double schemas = statements("schema_ddl");
            run(client, extended, "CREATE SCHEMA counted");
            run(client, extended, "ALTER SCHEMA counted RENAME TO recounted");
            client.succeed("BEGIN; DROP SCHEMA recounted; COMMIT");
            assertThat(statements("schema_ddl")).isEqualTo(schemas + 3);
            double global = statements("global_ddl");
            run(client, extended, "CREATE ROLE counted");
            run(client, extended, "DROP ROLE counted");
            assertThat(statements("global_ddl")).isEqualTo(global + 2);
            double refused = statements("refused");
            run(client, extended, "SELECT * FROM w1.t, w2.t");
            assertThat(statements("refused")).isEqualTo(refused + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void countsTransactionControlAndEachStatementOnce(boolean extended) {
        try (RawClient client = cluster.login()) {
            double session = statements("session");
            double qualified = statements("qualified");
            for (String sql : List.of("BEGIN", "SELECT * FROM w1.t", "SAVEPOINT s", "ROLLBACK TO s", "COMMIT")) {
                run(client, extended, sql);
            }
            assertThat(statements("session")).isEqualTo(session + 4);
            assertThat(statements("qualified")).isEqualTo(qualified + 1);
            for (String sql : List.of("BEGIN", "SELECT * FROM w1.t", "SELECT * FROM w2.t", "SAVEPOINT s", "ROLLBACK")) {
                run(client, extended, sql);
            }
            assertThat(statements("session")).isEqualTo(session + 7);
            assertThat(statements("qualified")).isEqualTo(qualified + 3);
        }
    }

    @Test
    void countsEachStatementOfAString() {
        try (RawClient client = cluster.login()) {
            double session = statements("session");
            double qualified = statements("qualified");
            client.succeed("BEGIN; SELECT * FROM w1.t; SELECT * FROM w1.t; COMMIT");
            assertThat(statements("session")).isEqualTo(session + 2);
            assertThat(statements("qualified")).isEqualTo(qualified + 2);
            client.succeed("BEGIN; SELECT * FROM w1.t; SELECT * FROM w2.t; COMMIT");
            assertThat(statements("session")).isEqualTo(session + 4);
            assertThat(statements("qualified")).isEqualTo(qualified + 4);
        }
    }

    private static void assertCounted(RawClient client, boolean extended, String sqlStateClass, String sql) {
        double before = errors(sqlStateClass);
        double all = errors("");
        assertThat(Message.only(run(client, extended, sql), 'E').sqlState())
                .as(sql)
                .startsWith(sqlStateClass);
        assertThat(errors(sqlStateClass)).as(sql).isEqualTo(before + 1);
        assertThat(errors("")).as(sql).isEqualTo(all + 1);
    }

    private static List<Message> run(RawClient client, boolean extended, String sql) {
        return extended
                ? client.parse("", sql).bind("", "").execute("", 0).sync().readUntilReady()
                : client.run(sql);
    }

    private static double errors(String sqlStateClass) {
        return cluster.meters().find("tenantry.errors").counters().stream()
                .filter(counter -> sqlStateClass.isEmpty()
                        || sqlStateClass.equals(counter.getId().getTag("sqlstate_class")))
                .mapToDouble(counter -> counter.count())
                .sum();
    }

    private static double statements(String route) {
        return cluster.meters()
                .get("tenantry.statements")
                .tag("route", route)
                .functionCounter()
                .count();
    }
}
