package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The extended query protocol, message by message, at the places where proxies go wrong. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class WireProtocolIT {

    private static final int INT4 = 23;
    private static final int TEXT = 25;

    private final Endpoint endpoint;
    private RawClient client;

    WireProtocolIT(Endpoint endpoint) {
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
    void answersFlushWithoutReadyForQuery() {
        client.parse("", "SELECT $1::int + id FROM t ORDER BY id")
                .describe('S', "")
                .flush();
        assertThat(Message.types(List.of(client.read(), client.read(), client.read())))
                .isEqualTo("1tT");
        client.bind("", "", "10").execute("", 1).flush();
        assertThat(Message.types(client.readUntil('s'))).isEqualTo("2Ds");
        client.execute("", 0).flush();
        List<Message> rest = client.readUntil('C');
        assertThat(Message.rows(rest)).containsExactly(List.of("12"));
        assertThat(client.hasInput()).isFalse();
        assertThat(Message.types(client.sync().readUntilReady())).isEqualTo("Z");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void findsNoUnnamedPortalThatTheClientHasNotBound(boolean named) {
        client.parse("s", "SELECT id FROM t").sync();
        client.readUntilReady();
        for (boolean describes : List.of(false, true)) {
            client.succeed("BEGIN");
            if (named) {
                client.bind("p", "s").execute("p", 0);
            }
            (describes ? client.describe('P', "") : client.execute("", 0)).sync();
            assertThat(Message.only(client.readUntilReady(), 'E').sqlState()).isEqualTo("34000");
            client.succeed("ROLLBACK");
        }
    }

    @Test
    void answersEverySyncOfPipelineInOrder() {
        for (int i = 0; i < 50; i++) {
            client.parse("", "SELECT " + i).bind("", "").execute("", 0).sync();
        }
        for (int i = 0; i < 50; i++) {
            List<Message> answer = client.readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("12DCZ");
            assertThat(Message.rows(answer)).containsExactly(List.of("" + i));
        }
        assertThat(Message.types(client.sync().sync().sync().readUntilReady())).isEqualTo("Z");
        assertThat(Message.types(client.readUntilReady()) + Message.types(client.readUntilReady()))
                .isEqualTo("ZZ");
    }

    @Test
    void runsSeveralExecutesBeforeOneSyncAsOneTransaction() {
        client.parse("", "INSERT INTO t VALUES (3, 'three')").bind("", "").execute("", 0);
        client.parse("", "SELECT count(*) FROM t").bind("", "").execute("", 0);
        client.parse("", "SELECT 1 / (id - 1) FROM t")
                .bind("", "")
                .execute("", 0)
                .sync();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12C12DC12EZ");
        assertThat(Message.rows(answer)).containsExactly(List.of("3"));
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
    }

    @Test
    void skipsEverythingAfterErrorUntilSync() {
        client.parse("", "SELECT nothing FROM t").bind("", "").execute("", 0).query("SELECT 1");
        client.callFunction(1, "x").flush().close('S', "x").describe('P', "").sync();
        client.query("SELECT 2");
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("EZ");
        assertThat(answer.getFirst().sqlState()).isEqualTo("42703");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("2"));
    }

    @Test
    void sendsErrorBeforeSync() {
        client.parse("", "SELECT nothing FROM t").flush();
        assertThat(client.read().sqlState()).isEqualTo("42703");
        assertThat(Message.types(client.sync().readUntilReady())).isEqualTo("Z");
    }

    @Test
    void doesNotSkipAfterErrorOfSimpleQuery() {
        client.query("SELECT 1 / 0").query("SELECT 2");
        assertThat(Message.types(client.readUntilReady())).isIn("EZ", "TEZ");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("2"));
    }

    @Test
    void keepsNothingOfBatchThatFailedBefore() {
        client.parse("", "SELECT nothing FROM t")
                .parse("later", "SELECT 1")
                .sync()
                .readUntilReady();
        List<Message> answer = client.bind("", "later").sync().readUntilReady();
        assertThat(answer.getFirst().sqlState()).isEqualTo("26000");
        assertThat(Message.types(client.parse("later", "SELECT 1").sync().readUntilReady()))
                .isEqualTo("1Z");
    }

    @Test
    void keepsWhatBatchPreparedBeforeItFailed() {
        client.parse("before", "SELECT 5")
                .parse("", "SELECT nothing FROM t")
                .sync()
                .readUntilReady();
        List<Message> answer = client.bind("", "before").execute("", 0).sync().readUntilReady();
        assertThat(Message.rows(answer)).containsExactly(List.of("5"));
    }

    @Test
    void describesStatementsAndPortals() {
        client.parse("s", "SELECT id, name FROM t WHERE id = $1 AND name = $2")
                .sync()
                .readUntilReady();
        List<Message> statement = client.describe('S', "s").sync().readUntilReady();
        assertThat(Message.types(statement)).isEqualTo("tTZ");
        var parameters = statement.getFirst().reader();
        assertThat(parameters.getShort()).isEqualTo((short) 2);
        assertThat(parameters.getInt()).isEqualTo(INT4);
        assertThat(parameters.getInt()).isEqualTo(TEXT);
        assertThat(Message.types(client.bind("", "s", "1", "one")
                        .describe('P', "")
                        .execute("", 0)
                        .sync()
                        .readUntilReady()))
                .isEqualTo("2TDCZ");
        client.parse("none", "DELETE FROM t WHERE id = $1");
        assertThat(Message.types(client.describe('S', "none").sync().readUntilReady()))
                .isEqualTo("1tnZ");
    }

    @ParameterizedTest
    @CsvSource({"S,26000", "P,34000"})
    void refusesToDescribeTheUnknown(char kind, String sqlState) {
        List<Message> answer = client.describe(kind, "unknown").sync().readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("EZ");
        assertThat(answer.getFirst().sqlState()).isEqualTo(sqlState);
    }

    @Test
    void refusesNamesTakenAndUnknownWithoutLosingTheSession() {
        client.parse("s", "SELECT 1").sync().readUntilReady();
        assertThat(client.parse("s", "SELECT 2")
                        .sync()
                        .readUntilReady()
                        .getFirst()
                        .sqlState())
                .isEqualTo("42P05");
        assertThat(client.bind("", "unknown").sync().readUntilReady().getFirst().sqlState())
                .isEqualTo("26000");
        assertThat(client.execute("unknown", 0)
                        .sync()
                        .readUntilReady()
                        .getFirst()
                        .sqlState())
                .isEqualTo("34000");
        assertThat(Message.rows(client.bind("", "s").execute("", 0).sync().readUntilReady()))
                .containsExactly(List.of("1"));
        client.query("BEGIN").readUntilReady();
        client.bind("p", "s").bind("p", "s").sync();
        assertThat(Message.only(client.readUntilReady(), 'E').sqlState()).isEqualTo("42P03");
    }

    @Test
    void overwritesTheUnnamedStatement() {
        client.parse("", "SELECT 1")
                .parse("", "SELECT 2")
                .bind("", "")
                .execute("", 0)
                .sync();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("112DCZ");
        assertThat(Message.rows(answer)).containsExactly(List.of("2"));
    }

    @Test
    void answersCloseInOrderEvenOfTheUnknown() {
        client.parse("s", "SELECT 7")
                .close('S', "unknown")
                .bind("", "s")
                .close('P', "unknown")
                .execute("", 0);
        client.close('S', "s").close('P', "").sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("1323DC33Z");
        assertThat(client.bind("", "s").sync().readUntilReady().getFirst().sqlState())
                .isEqualTo("26000");
    }

    @Test
    void keepsStatementsOfSessionsApart() {
        try (RawClient other = endpoint.login()) {
            client.parse("S_1", "SELECT 'mine'").sync().readUntilReady();
            other.parse("S_1", "SELECT 'theirs', 2").sync().readUntilReady();
            assertThat(Message.rows(client.bind("", "S_1").execute("", 0).sync().readUntilReady()))
                    .containsExactly(List.of("mine"));
            assertThat(Message.rows(other.bind("", "S_1").execute("", 0).sync().readUntilReady()))
                    .containsExactly(List.of("theirs", "2"));
            other.close('S', "S_1").sync().readUntilReady();
            assertThat(Message.rows(client.bind("", "S_1").execute("", 0).sync().readUntilReady()))
                    .containsExactly(List.of("mine"));
        }
    }

    @Test
    void sharesNamesBetweenProtocolAndSql() {
        client.run("PREPARE fromsql AS SELECT 'sql ' || $1::text");
        assertThat(Message.rows(
                        client.bind("", "fromsql", "x").execute("", 0).sync().readUntilReady()))
                .containsExactly(List.of("sql x"));
        client.parse("fromwire", "SELECT 'wire ' || $1::text").sync().readUntilReady();
        assertThat(client.value("EXECUTE fromwire('y')")).isEqualTo("wire y");
        client.run("DEALLOCATE fromwire");
        assertThat(client.bind("", "fromwire", "y")
                        .sync()
                        .readUntilReady()
                        .getFirst()
                        .sqlState())
                .isEqualTo("26000");
        client.run("DEALLOCATE ALL");
        assertThat(Message.only(client.run("EXECUTE fromsql('y')"), 'E').sqlState())
                .isEqualTo("26000");
    }

    @Test
    void keepsTheUnnamedStatementOverSyncsButNotOverSimpleQuery() {
        client.parse("", "SELECT id FROM t WHERE id = $1").sync().readUntilReady();
        for (String id : List.of("1", "2")) {
            assertThat(Message.rows(
                            client.bind("", "", id).execute("", 0).sync().readUntilReady()))
                    .containsExactly(List.of(id));
        }
        client.run("SELECT 1");
        assertThat(client.bind("", "", "1").sync().readUntilReady().getFirst().sqlState())
                .isEqualTo("26000");
    }

    @Test
    void suspendsPortalAndKeepsItInsideTransaction() {
        client.run("BEGIN");
        client.parse("", "SELECT g FROM generate_series(1, 5) g")
                .bind("p", "")
                .execute("p", 2)
                .sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12DDsZ");
        client.run("SELECT 1");
        assertThat(Message.rows(client.execute("p", 2).sync().readUntilReady()))
                .containsExactly(List.of("3"), List.of("4"));
        List<Message> last = client.execute("p", 2).sync().readUntilReady();
        assertThat(Message.types(last)).isEqualTo("DCZ");
        assertThat(Message.only(last, 'C').strings()).containsExactly("SELECT 1");
        client.run("COMMIT");
        assertThat(client.execute("p", 2).sync().readUntilReady().getFirst().sqlState())
                .isEqualTo("34000");
    }

    @Test
    void forgetsPortalAtSyncOutsideTransaction() {
        client.parse("", "SELECT g FROM generate_series(1, 5) g")
                .bind("p", "")
                .execute("p", 2)
                .sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12DDsZ");
        assertThat(client.execute("p", 2).sync().readUntilReady().getFirst().sqlState())
                .isEqualTo("34000");
    }

    @Test
    void bindsValuesInEveryFormat() {
        client.parse("s", "SELECT $1::int + 1, $2::text, $3::int IS NULL", INT4, TEXT, INT4)
                .sync()
                .readUntilReady();
        byte[] five = {0, 0, 0, 5};
        byte[] text = "é".getBytes(StandardCharsets.UTF_8);
        for (int[] formats : new int[][] {{1}, {1, 0, 1}}) {
            MessageWriter bind = new MessageWriter().string("").string("s").int16(formats.length);
            for (int format : formats) {
                bind.int16(format);
            }
            bind.int16(3).int32(4).bytes(five).int32(text.length).bytes(text).int32(-1);
            bind.int16(3).int16(1).int16(0).int16(0);
            List<Message> answer =
                    client.message('B', bind).execute("", 0).sync().readUntilReady();
            assertThat(Message.only(answer, 'D').columns()).containsExactly("\0\0\0\6", "é", "t");
        }
        List<Message> wrong = client.bind("", "s", "1").sync().readUntilReady();
        assertThat(wrong.getFirst().sqlState()).isEqualTo("08P01");
    }

    @Test
    void bindsAsManyParametersAsTheProtocolHas() {
        int count = 65_535;
        String sql = IntStream.rangeClosed(1, count)
                .mapToObj(i -> "$" + i)
                .collect(Collectors.joining(",", "SELECT array_length(ARRAY[", "]::int[], 1)"));
        client.parse("", sql);
        MessageWriter bind = new MessageWriter().string("").string("").int16(0).int16(count);
        for (int i = 0; i < count; i++) {
            bind.int32(1).int8('7');
        }
        client.message('B', bind.int16(0)).execute("", 0).sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("" + count));
    }

    @Test
    void reportsPlanThatNoLongerFitsAndGoesOnAfterNewParse() {
        client.parse("s", "SELECT * FROM t ORDER BY id").sync().readUntilReady();
        client.bind("", "s").execute("", 0).sync().readUntilReady();
        client.run("ALTER TABLE t ADD COLUMN extra int DEFAULT 9");
        assertThat(Message.only(client.bind("", "s").execute("", 0).sync().readUntilReady(), 'E')
                        .sqlState())
                .isEqualTo("0A000");
        client.close('S', "s")
                .parse("s", "SELECT * FROM t ORDER BY id")
                .bind("", "s")
                .execute("", 0)
                .sync();
        assertThat(Message.rows(client.readUntilReady()).getFirst()).containsExactly("1", "one", "9");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"CREATE SCHEMA wire_never", "DROP TABLE t", "BEGIN", "CREATE ROLE wire_never", "SHOW work_mem"})
    void refusesBindWithMoreOrLessThanTheStatementTakes(String sql) {
        List<Message> surplus =
                client.parse("", sql).bind("", "", "1").execute("", 0).sync().readUntilReady();
        assertThat(Message.types(surplus)).isEqualTo("1EZ");
        assertThat(surplus.get(1).sqlState()).isEqualTo("08P01");
        assertThat(surplus.get(1).errorMessage())
                .isEqualTo("bind message supplies 1 parameters, but prepared statement \"\" requires 0");
        List<Message> missing = client.parse("named", sql, INT4)
                .bind("", "named")
                .execute("", 0)
                .sync()
                .readUntilReady();
        assertThat(Message.types(missing)).isEqualTo("1EZ");
        assertThat(missing.get(1).sqlState()).isEqualTo("08P01");
        assertThat(missing.get(1).errorMessage())
                .isEqualTo("bind message supplies 0 parameters, but prepared statement \"named\" requires 1");
        assertThat(Message.types(client.bind("", "named", "7").sync().readUntilReady()))
                .isEqualTo("2Z");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
        assertThat(client.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'wire_never'"))
                .isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void failsWithSyncThatHasBody(boolean executes) {
        for (String begin : List.of("SELECT", "BEGIN", "CREATE SCHEMA wire_sync")) {
            client.succeed(begin);
            if (executes) {
                client.parse("", "INSERT INTO t VALUES (3, 'three')")
                        .bind("", "")
                        .execute("", 0);
            }
            List<Message> answer =
                    client.message('S', new MessageWriter().int8(0)).readUntilReady();
            assertThat(Message.types(answer)).isEqualTo(executes ? "12CEZ" : "EZ");
            assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("08P01");
            assertThat(Message.only(answer, 'E').errorMessage()).isEqualTo("invalid message format");
            assertThat(answer.getLast().text()).isEqualTo(begin.equals("BEGIN") ? "E" : "I");
            client.succeed("ROLLBACK");
            assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
        }
        client.succeed("DROP SCHEMA wire_sync");
    }

    @Test
    void undoesWhatItMakesItselfWithSyncThatHasBody() {
        client.parse("", "CREATE SCHEMA wire_undone").bind("", "").execute("", 0);
        List<Message> answer = client.message('S', new MessageWriter().int8(0)).readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12CEZ");
        assertThat(client.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'wire_undone'"))
                .isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(chars = {'H', 'D', 'E', 'C'})
    void failsWithMessageThatIsLongerThanItSays(char type) {
        for (int i = 0; i < 2; i++) {
            if (i > 0) {
                client.parse("", "INSERT INTO t VALUES (3, 'three')")
                        .bind("", "")
                        .execute("", 0);
            }
            MessageWriter body = new MessageWriter();
            switch (type) {
                case 'H' -> body.int8(0);
                case 'E' -> body.string("").int32(0).int8(0);
                default -> body.int8('P').string("").int8(0);
            }
            List<Message> answer =
                    client.message(type, body).execute("unknown", 0).sync().readUntilReady();
            assertThat(Message.types(answer)).isEqualTo(i > 0 ? "12CEZ" : "EZ");
            assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("08P01");
            assertThat(Message.only(answer, 'E').errorMessage()).isEqualTo("invalid message format");
            assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
        }
    }

    @Test
    void undoesBatchThatBadQueryEnds() {
        client.parse("", "INSERT INTO t VALUES (3, 'three')").bind("", "").execute("", 0);
        byte[] endless = "SELECT 1".getBytes(StandardCharsets.US_ASCII);
        List<Message> answer =
                client.message('Q', new MessageWriter().bytes(endless)).readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12CEZ");
        assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("08P01");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("2");
    }

    @Test
    void takesTerminateAndEndsOfCopyWithBodies() {
        client.query("COPY t FROM STDIN").read();
        client.message('c', new MessageWriter().int8(0));
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
        client.message('X', new MessageWriter().int8(0));
        assertThat(client.readToEnd()).isEmpty();
    }

    @Test
    void callsFunctionsByOid() {
        int oid = Integer.parseInt(client.value("SELECT 'pg_catalog.length(text)'::regprocedure::oid::int"));
        List<Message> answer = client.callFunction(oid, "four").readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("VZ");
        assertThat(answer.getFirst().text()).endsWith("4");
        List<Message> unknown = client.callFunction(1, "x").query("SELECT 3").readUntilReady();
        assertThat(Message.types(unknown)).isEqualTo("EZ");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("3"));
    }

    @Test
    void keepsLongNamesAndOddTexts() {
        String name = "n".repeat(500) + " \"'\\;é";
        client.parse(name, "SELECT '\\;--', E'\\'', $q$;$q$, \"t\".\"id\" FROM \"t\" -- ;")
                .sync()
                .readUntilReady();
        List<Message> answer = client.bind("", name).execute("", 0).sync().readUntilReady();
        assertThat(Message.rows(answer).getFirst()).containsExactly("\\;--", "'", ";", "1");
    }
}
