package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Simple queries, transaction status and what a server says without being asked, message by message. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class SimpleQueryIT {

    private final Endpoint endpoint;
    private RawClient client;

    SimpleQueryIT(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.client = endpoint.loginToNewSchema();
    }

    @BeforeEach
    void makeTable() {
        client.run("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'one'), (2, 'two')");
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void runsSeveralStatementsOfOneStringAsOneTransaction() {
        List<Message> failed = client.run("INSERT INTO t VALUES (3, 'x'); SELECT 1; SELECT 1 / 0; SELECT 2");
        assertThat(Message.types(failed)).isIn("CTDCEZ", "CTDCTEZ");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
        assertThat(Message.types(client.run("SELECT 1; SELECT 2; UPDATE t SET name = name")))
                .isEqualTo("TDCTDCCZ");
        List<Message> kept =
                client.run("BEGIN; INSERT INTO t VALUES (3, 'x'); COMMIT; INSERT INTO t VALUES (4, 'x'); SELECT 1 / 0");
        assertThat(Message.types(kept)).isIn("CCCCEZ", "CCCCTEZ");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("3");
    }

    @Test
    void usesSearchPathSetEarlierInTheSameString() {
        String other = endpoint.newSchema(client);
        client.run("CREATE TABLE " + other + ".u AS SELECT 'there' AS place");
        List<Message> answer = client.run("SET search_path = " + other + "; SELECT place FROM u");
        assertThat(Message.rows(answer)).containsExactly(List.of("there"));
        assertThat(client.value("SELECT place FROM u")).isEqualTo("there");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", ";", ";;", "-- nothing", "/* nothing /* nested */ */", " ; -- x\n ;"})
    void answersEmptyQuery(String nothing) {
        assertThat(Message.types(client.run(nothing))).isEqualTo("IZ");
        client.parse("", nothing).bind("", "").describe('P', "").execute("", 0).sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12nIZ");
    }

    @Test
    void takesSimpleQueryInsideOpenBatch() {
        client.parse("s", "SELECT 1")
                .bind("", "s")
                .execute("", 0)
                .query("SELECT 2")
                .bind("", "s")
                .execute("", 0)
                .sync();
        List<Message> simple = client.readUntilReady();
        assertThat(Message.types(simple)).isEqualTo("12DCTDCZ");
        assertThat(Message.types(client.readUntilReady())).isEqualTo("2DCZ");
    }

    @Test
    void tellsTransactionStatus() {
        assertThat(statusAfter("SELECT 1")).isEqualTo('I');
        assertThat(statusAfter("BEGIN")).isEqualTo('T');
        assertThat(statusAfter("SELECT id FROM t")).isEqualTo('T');
        assertThat(statusAfter("SELECT 1 / 0")).isEqualTo('E');
        List<Message> refused = client.run("SELECT 1");
        assertThat(Message.only(refused, 'E').sqlState()).isEqualTo("25P02");
        List<Message> commit = client.run("COMMIT");
        assertThat(Message.only(commit, 'C').strings()).containsExactly("ROLLBACK");
        assertThat(statusAfter("SELECT 1")).isEqualTo('I');
        assertThat(Message.only(client.run("COMMIT"), 'N').sqlState()).isEqualTo("25P01");
        client.run("BEGIN");
        assertThat(Message.only(client.run("BEGIN"), 'N').sqlState()).isEqualTo("25001");
        assertThat(statusAfter("ROLLBACK")).isEqualTo('I');
    }

    private char statusAfter(String sql) {
        return (char) Message.only(client.run(sql), 'Z').body()[0];
    }

    @Test
    void reportsParametersWhenTheyChangeAndWhenTheyChangeBack() {
        assertThat(reported("SET application_name = 'abc'")).containsExactly("application_name", "abc");
        client.run("BEGIN");
        assertThat(reported("SET TimeZone = 'Asia/Tokyo'")).containsExactly("TimeZone", "Asia/Tokyo");
        assertThat(reported("ROLLBACK")).startsWith("TimeZone").doesNotContain("Asia/Tokyo");
        assertThat(reported("SELECT set_config('DateStyle', 'German', false)"))
                .containsExactly("DateStyle", "German, DMY");
        assertThat(reported("RESET ALL")).contains("application_name", "DateStyle");
    }

    private List<String> reported(String sql) {
        return client.run(sql).stream()
                .filter(message -> message.type() == 'S')
                .flatMap(message -> message.strings().stream())
                .filter(text -> !text.equals("search_path") && !text.contains("wire_"))
                .toList();
    }

    @Test
    void passesNoticesOnWhereTheyAre() {
        List<Message> answer = client.run("DO $$BEGIN RAISE NOTICE 'hello % %', 1, 'x'; END$$; SELECT 1");
        assertThat(Message.types(answer)).isEqualTo("NCTDCZ");
        assertThat(answer.getFirst().errorMessage()).isEqualTo("hello 1 x");
        client.parse("", "DROP TABLE IF EXISTS nothing_here")
                .bind("", "")
                .execute("", 0)
                .sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12NCZ");
    }

    @Test
    void passesErrorAfterRowsOn() {
        List<Message> answer = client.run("SELECT 10 / (5 - g) FROM generate_series(1, 9) g");
        assertThat(Message.types(answer)).isEqualTo("TDDDDEZ");
        assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("22012");
        assertThat(client.value("SELECT 1")).isEqualTo("1");
    }

    @Test
    void passesTerminationByAdministratorOn() {
        List<Message> answer = client.query("SELECT pg_terminate_backend(pg_backend_pid()), id FROM t")
                .readUntil('E');
        Message error = Message.only(answer, 'E');
        assertThat(error.sqlState()).isEqualTo("57P01");
        if (endpoint == Endpoint.PROXY) {
            // The session outlives its node's connection.
            assertThat(error.fields().get('V')).isEqualTo("ERROR");
            client.readUntilReady();
            assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
        } else {
            assertThat(error.fields().get('V')).isEqualTo("FATAL");
        }
    }

    @Test
    void endsOpenTransactionWithTerminate() {
        client.run("BEGIN");
        client.run("INSERT INTO t VALUES (9, 'x')");
        String schema = client.value("SELECT current_schema");
        client.terminate().flushOut();
        assertThat(client.readToEnd()).isEmpty();
        try (RawClient other = endpoint.login()) {
            assertThat(other.value("SELECT count(*) FROM " + schema + ".t")).isEqualTo("2");
            assertThat(Message.types(other.run("ALTER TABLE " + schema + ".t ADD COLUMN free int")))
                    .isEqualTo("CZ");
        }
    }
}
