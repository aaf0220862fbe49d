package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** COPY in both directions and both protocols, failing in the middle from either side. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class CopyIT {

    private static final String COPY_IN = "COPY t FROM STDIN";

    private final Endpoint endpoint;
    private RawClient client;
    private String schema = "";

    CopyIT(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.client = endpoint.loginToNewSchema();
    }

    @BeforeEach
    void makeTable() {
        schema = client.value("SELECT current_schema");
        client.run("CREATE TABLE t (id int PRIMARY KEY CHECK (id < 1000000), name text)");
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void copiesInBySimpleQuery() {
        assertThat(client.query(COPY_IN).read().type()).isEqualTo('G');
        client.copyData("1\tone\n2\ttwo\n").copyData("3\t\\N\n").copyDone();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("CZ");
        assertThat(answer.getFirst().strings()).containsExactly("COPY 3");
        assertThat(rows()).isEqualTo("3");
    }

    @Test
    void copiesInByExtendedQuery() {
        client.parse("", COPY_IN).bind("", "").describe('P', "").execute("", 0).flush();
        assertThat(Message.types(client.readUntil('G'))).isEqualTo("12nG");
        client.copyData("1\tone\n").copyDone().sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
        assertThat(rows()).isEqualTo("1");
    }

    @Test
    void copiesInWhenEverythingIsSentAtOnce() {
        client.parse("", COPY_IN).bind("", "").execute("", 0);
        client.copyData("1\tone\n").copyDone().sync().query("SELECT name FROM t");
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12GCZ");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("one"));
        client.query(COPY_IN).copyData("2\ttwo\n").copyDone().query("SELECT count(*) FROM t");
        assertThat(Message.types(client.readUntilReady())).isEqualTo("GCZ");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("2"));
    }

    @Test
    void takesDataInPiecesThatAreNotRows() {
        client.query(COPY_IN).read();
        String data = "1\tone\n2\ttwo é\n";
        for (byte piece : data.getBytes(StandardCharsets.UTF_8)) {
            client.message('d', new MessageWriter().int8(piece)).flushOut();
        }
        client.message('d', new MessageWriter()).copyDone();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
        assertThat(client.value("SELECT name FROM t WHERE id = 2")).isEqualTo("two é");
    }

    @Test
    void ignoresFlushAndSyncWhileCopying() {
        client.query(COPY_IN).read();
        client.copyData("1\tone\n").flush().sync().copyData("2\ttwo\n").sync().copyDone();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
        assertThat(rows()).isEqualTo("2");
    }

    @Test
    void takesSecondSyncFromClientWhoseFirstWasInsideCopy() {
        // libpq sends the whole batch with its Sync, and another Sync behind the data.
        client.parse("", COPY_IN).bind("", "").describe('P', "").execute("", 0).sync();
        assertThat(Message.types(client.readUntil('G'))).isEqualTo("12nG");
        client.copyData("1\tone\n").copyDone().sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
        assertThat(rows()).isEqualTo("1");

        client.parse("", COPY_IN).bind("", "").describe('P', "").execute("", 0).sync();
        client.copyData("x\ty\n").copyDone().sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12nGEZ");
        assertThat(rows()).isEqualTo("1");

        client.run("CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS "
                + "'BEGIN RAISE EXCEPTION ''no''; END'; "
                + "CREATE TRIGGER never BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION never()");
        client.parse("", COPY_IN).bind("", "").describe('P', "").execute("", 0).sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12nGEZ");
        assertThat(rows()).isEqualTo("1");
    }

    @Test
    void endsCopyThatTheClientFails() {
        client.query(COPY_IN).read();
        client.copyData("1\tone\n").copyFail("no more");
        List<Message> simple = client.readUntilReady();
        assertThat(Message.types(simple)).isEqualTo("EZ");
        assertThat(simple.getFirst().sqlState()).isEqualTo("57014");
        assertThat(simple.getFirst().errorMessage()).contains("no more");
        client.parse("", COPY_IN).bind("", "").execute("", 0);
        client.copyData("1\tone\n").copyFail("no more").parse("", "SELECT 1").sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12GEZ");
        assertThat(rows()).isEqualTo("0");
    }

    @Test
    void swallowsWhatClientSendsAfterTheServerHasFailed() {
        client.query(COPY_IN).read();
        client.copyData("1\tone\nx\ty\n").flushOut();
        Message error = client.read();
        assertThat(error.sqlState()).isEqualTo("22P02");
        for (int i = 0; i < 1000; i++) {
            client.copyData("2\ttwo\n");
        }
        client.copyDone().query("SELECT count(*) FROM t");
        assertThat(Message.types(client.readUntilReady())).isEqualTo("Z");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("0"));
    }

    @Test
    void skipsToSyncWhenExtendedCopyFails() {
        client.parse("", COPY_IN).bind("", "").execute("", 0).copyData("x\ty\n");
        for (int i = 0; i < 1000; i++) {
            client.copyData("2\ttwo\n");
        }
        client.copyDone().bind("", "").execute("", 0).sync().query("SELECT count(*) FROM t");
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12GEZ");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("0"));
    }

    @Test
    void reportsErrorThatComesWithTheEnd() {
        client.query(COPY_IN).copyData("1\tone\n1\tagain\n").copyDone();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("GEZ");
        assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("23505");
        assertThat(rows()).isEqualTo("0");
    }

    @Test
    void refusesCopyOfTableThatIsNotThere() {
        client.query("COPY nothing_here FROM STDIN")
                .copyData("1\tone\n")
                .copyDone()
                .query("SELECT 1");
        assertThat(Message.types(client.readUntilReady())).isEqualTo("EZ");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("1"));
    }

    @Test
    void ignoresCopyMessagesOutsideCopy() {
        client.copyData("1\tone\n").copyDone().copyFail("x").query("SELECT 1");
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("1"));
    }

    @ParameterizedTest
    @ValueSource(chars = {'Q', 'P', 'B', 'E'})
    void failsCopyOnOtherMessage(char type) {
        client.query(COPY_IN).read();
        client.message(type, new MessageWriter().string("SELECT 1").int16(0).int16(0))
                .flushOut();
        Message error = client.read();
        assertThat(error.type()).isEqualTo('E');
        assertThat(error.sqlState()).isEqualTo("08P01");
        assertThat(error.errorMessage())
                .isEqualTo("unexpected message type 0x"
                        + Integer.toHexString(type).toUpperCase(Locale.ROOT) + " during COPY from stdin");
    }

    @ParameterizedTest
    @ValueSource(chars = {'Q', 'P', 'B', 'D', 'E', 'C', 'F', 'X', 'p', 'z'})
    void endsSessionThatSaysSomethingElseWhileCopying(char type) {
        client.query(COPY_IN).read();
        client.copyData("1\tone\n");
        sayOtherwise(type);
        assertEnded(client.readToEnd(), saysType(type));
        client.parse("", COPY_IN).bind("", "").execute("", 0).flush();
        assertThat(Message.types(client.readUntil('G'))).isEqualTo("12G");
        client.copyData("1\tone\n");
        sayOtherwise(type);
        assertEnded(client.readToEnd(), saysType(type));
        client.run("BEGIN");
        client.query(COPY_IN).read();
        client.sync().flush();
        sayOtherwise(type);
        assertEnded(client.readToEnd(), saysType(type));
    }

    @ParameterizedTest
    @ValueSource(chars = {'Q', 'P', 'B', 'D', 'E', 'C', 'F'})
    void endsSessionThatHasSaidSomethingElseBehindItsCopyAlready(char type) {
        client.query(COPY_IN);
        sayOtherwise(type);
        List<Message> simple = client.sync().readToEnd();
        assertThat(simple.getFirst().type()).isEqualTo('G');
        assertEnded(simple.subList(1, simple.size()), "unexpected message (type 0x.. )?during COPY from stdin");
        client.parse("", COPY_IN).bind("", "").execute("", 0);
        sayOtherwise(type);
        List<Message> extended = client.sync().readToEnd();
        assertThat(Message.types(extended.subList(0, 3))).isEqualTo("12G");
        assertEnded(extended.subList(3, extended.size()), "unexpected message (type 0x.. )?during COPY from stdin");
    }

    @Test
    void endsSessionInTheSecondCopyOfString() {
        client.query("COPY t FROM STDIN; COPY t FROM STDIN").read();
        client.copyData("1\tone\n").copyDone();
        assertThat(Message.types(client.readUntil('G'))).isEqualTo("CG");
        client.parse("", "SELECT 1").sync();
        assertEnded(client.readToEnd(), saysType('P'));
    }

    @Test
    void copiesInStringThatDropsSchemaToo() {
        String other = endpoint.newSchema(client);
        String string = COPY_IN + "; DROP SCHEMA " + other;
        client.query(string).read();
        client.sync().copyData("1\tone\n").flush().sync().copyDone();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CCZ");
        assertThat(rows()).isEqualTo("1");
        client.run("TRUNCATE t");
        endpoint.newSchema(client, other);
        client.query(string).read();
        client.copyData("1\tone\n").parse("", "SELECT 1").sync();
        assertEnded(client.readToEnd(), saysType('P'));
        assertThat(client.value("SELECT count(*) FROM pg_namespace WHERE nspname = '" + other + "'"))
                .isEqualTo("1");
    }

    /** A message of a type that has no place in COPY, which would be in order elsewhere if there is such a type. */
    private void sayOtherwise(char type) {
        switch (type) {
            case 'Q' -> client.query("SELECT 1");
            case 'P' -> client.parse("", "SELECT 1");
            case 'B' -> client.bind("", "");
            case 'D' -> client.describe('S', "");
            case 'E' -> client.execute("", 0);
            case 'C' -> client.close('S', "");
            case 'F' -> client.callFunction(1);
            default -> client.message(type, new MessageWriter());
        }
    }

    private static String saysType(char type) {
        return String.format("unexpected message type 0x%02X during COPY from stdin", (int) type);
    }

    /** The session is over, with this complaint, and what it had copied undone. */
    private void assertEnded(List<Message> answer, String complaint) {
        assertThat(Message.types(answer)).isEqualTo("EE");
        assertThat(answer.getFirst().sqlState()).isEqualTo("08P01");
        assertThat(answer.getFirst().errorMessage()).matches(complaint);
        assertThat(answer.getLast().sqlState()).isEqualTo("08P01");
        assertThat(answer.getLast().errorMessage())
                .isEqualTo("terminating connection because protocol synchronization was lost");
        client.close();
        client = endpoint.login("options", "-c search_path=" + schema);
        Eventually.passes(() -> assertThat(client.value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass"))
                .isEqualTo("0"));
        assertThat(client.value("SELECT count(*) FROM t WHERE id = 1")).isEqualTo("0");
    }

    @Test
    void copiesOutInEveryFormat() {
        client.run("INSERT INTO t VALUES (1, 'one'), (2, NULL)");
        List<Message> text = client.run("COPY t TO STDOUT");
        assertThat(Message.types(text)).isEqualTo("HddcCZ");
        assertThat(text.get(2).text()).isEqualTo("2\t\\N\n");
        List<Message> binary = client.run("COPY (SELECT * FROM t ORDER BY id) TO STDOUT WITH (FORMAT binary)");
        assertThat(binary.getFirst().body()[0]).isEqualTo((byte) 1);
        assertThat(binary.get(1).text()).startsWith("PGCOPY\n");
        client.parse("", "COPY t TO STDOUT").bind("", "").execute("", 0).sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12HddcCZ");
    }

    @Test
    void carriesBinaryDataBothWays() {
        client.run("INSERT INTO t SELECT g, repeat('x', g) FROM generate_series(1, 500) g; CREATE TABLE u (LIKE t)");
        List<Message> out = client.run("COPY t TO STDOUT WITH (FORMAT binary)");
        client.query("COPY u FROM STDIN WITH (FORMAT binary)").read();
        out.stream()
                .filter(message -> message.type() == 'd')
                .forEach(message -> client.message('d', new MessageWriter().bytes(message.body())));
        client.copyDone();
        assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("COPY 500");
        assertThat(client.value("SELECT count(*) FROM t NATURAL JOIN u")).isEqualTo("500");
    }

    @Test
    void passesErrorInTheMiddleOfCopyOutOn() {
        List<Message> answer = client.run("COPY (SELECT 10 / (5 - g) FROM generate_series(1, 9) g) TO STDOUT");
        assertThat(Message.types(answer)).isEqualTo("HddddEZ");
        assertThat(client.value("SELECT 1")).isEqualTo("1");
    }

    @Test
    void copiesInTheMiddleOfString() {
        client.query("INSERT INTO t VALUES (7, 'x'); COPY t FROM STDIN; SELECT count(*) FROM t; COPY t TO STDOUT");
        client.copyData("1\tone\n").copyDone();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("CGCTDCHddcCZ");
        assertThat(Message.rows(answer)).containsExactly(List.of("2"));
    }

    @Test
    void copiesMoreThanFitsAnyBuffer() {
        client.query("COPY t FROM STDIN").read();
        String filler = "y".repeat(100_000);
        for (int i = 0; i < 400; i++) {
            client.copyData(i + "\t" + filler + "\n").flushOut();
        }
        client.copyDone();
        assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("COPY 400");
        long length = client.run("COPY t TO STDOUT").stream()
                .filter(message -> message.type() == 'd')
                .mapToLong(message -> message.body().length)
                .sum();
        assertThat(length).isGreaterThan(40_000_000);
    }

    @Test
    void undoesCopyOfClientThatVanishes() {
        client.query(COPY_IN).read();
        client.copyData("1\tone\n").flushOut();
        client.reset();
        try (RawClient other = endpoint.login()) {
            Eventually.passes(() -> assertThat(
                            other.value("SELECT count(*) FROM pg_locks WHERE relation = '" + schema + ".t'::regclass"))
                    .isEqualTo("0"));
            assertThat(other.value("SELECT count(*) FROM " + schema + ".t")).isEqualTo("0");
        }
    }

    @Test
    void endsCopyOutOfClientThatVanishes() {
        client.run("INSERT INTO t SELECT g, repeat('x', 10000) FROM generate_series(1, 3000) g");
        client.query("COPY t TO STDOUT").read();
        client.reset();
        try (RawClient other = endpoint.login()) {
            Eventually.passes(() -> assertThat(
                            other.value("SELECT count(*) FROM pg_locks WHERE relation = '" + schema + ".t'::regclass"))
                    .isEqualTo("0"));
        }
    }

    private String rows() {
        return client.value("SELECT count(*) FROM t");
    }
}
