package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.MemoryUse;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Messages near PostgreSQL's limit of 1 GB pass through the proxy piece by piece, and those that can't are refused: in
 * both cases its memory does not grow with them.
 */
class GiantMessagesIT {

    private static final int MEGABYTE = 1 << 20;
    private static final int GIANT = 900 * MEGABYTE;

    /** Enough to see that something is not kept. */
    private static final int LARGE = 200 * MEGABYTE;

    /** What the proxy may need more, in MB, while a giant passes: buffers of both sides, filled up to their marks. */
    private static final long MORE_MAX = 64;

    private final Cluster cluster = Cluster.shared();
    private final RawClient client = cluster.login();

    @BeforeEach
    void makeSchemas() {
        for (int i = 1; i <= 2; i++) {
            client.run("DROP SCHEMA IF EXISTS giant_" + i + " CASCADE");
            client.run("SET tenantry.node = 'worker" + i + "'");
            client.run("CREATE SCHEMA giant_" + i);
            client.run("CREATE TABLE giant_" + i + ".t (filler text)");
        }
        client.run("SET search_path = giant_1");
    }

    @AfterEach
    void disconnect() {
        client.close();
        try (RawClient other = cluster.login()) {
            other.run("DROP SCHEMA giant_1, giant_2 CASCADE");
        }
    }

    @Test
    void streamsValuesBothWays() {
        client.parse("", "SELECT $1::bytea").flushOut();
        byte[] before = new MessageWriter()
                .string("")
                .string("")
                .int16(1)
                .int16(1)
                .int16(1)
                .int32(GIANT)
                .toBytes();
        byte[] after = new MessageWriter().int16(1).int16(1).toBytes();
        pushGiant('B', before, line(), GIANT, after);
        client.execute("", 0).sync();
        assertThat(Message.types(client.readUntil('2'))).isEqualTo("12");
        MemoryUse idle = MemoryUse.now();
        int length = client.readHead('D');
        assertThat(length).isEqualTo(GIANT + 6);
        client.passOver(length / 2);
        assertThat(MemoryUse.now().megabytesMoreThan(idle)).as("megabytes more").isLessThan(MORE_MAX);
        client.passOver(length - length / 2);
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
    }

    @Test
    void streamsCopyData() {
        client.query("COPY t FROM STDIN WHERE false").readHead('G');
        client.passOver(5);
        pushGiant('d', new byte[0], line(), LARGE, new byte[0]);
        client.copyDone();
        assertThat(Message.only(client.readUntilReady(), 'C').strings()).containsExactly("COPY 0");
    }

    @Test
    void streamsStatementsThatGoToOneNodeAsTheyAre() {
        int literal = 40 * MEGABYTE;
        for (String name : List.of("", "named")) {
            giantParse(name, "SELECT length('", literal, "')");
            client.describe('S', name).bind("", name).execute("", 0).sync();
            List<Message> answer = client.readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("1tT2DCZ");
            assertThat(Message.rows(answer)).containsExactly(List.of("" + literal));
        }
        client.bind("", "named").execute("", 0).sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("" + literal));
    }

    @Test
    void refusesToPrepareGiantStatementOnAnotherNode() {
        giantParse("named", "SELECT length('", 17 * MEGABYTE, "') FROM t");
        client.sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("1Z");
        client.run("SET search_path = giant_2");
        assertTooLong(client.bind("", "named").execute("", 0).sync().readUntilReady());
        client.run("SET search_path = giant_1");
        client.bind("", "named").execute("", 0).sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("2CZ");
    }

    @Test
    void refusesGiantsThatItWouldHaveToReadWithoutCollectingThem() {
        giantParse("", "SET application_name = '", LARGE, "'");
        assertTooLong(client.sync().readUntilReady());
        giantParse("", "CREATE SCHEMA giant_3 CREATE TABLE t (a text DEFAULT '", LARGE, "')");
        assertTooLong(client.sync().readUntilReady());
        pushGiant('P', new byte[0], line(), LARGE, new byte[0]); // a name without an end
        assertTooLong(client.sync().readUntilReady());
        pushGiant('B', new byte[0], line(), LARGE, new byte[0]);
        assertTooLong(client.sync().readUntilReady());
        pushGiant('Q', text("SET application_name = '"), line(), LARGE, text("'\0"));
        assertTooLong(client.readUntilReady());
        assertThat(client.value("SHOW application_name")).isEmpty();
    }

    @Test
    void refusesGiantBindWhoseValuesDecideWhereItGoes() {
        client.parse("", "SELECT set_config('application_name', $1, false), set_config('a.b', $2, false)")
                .flushOut();
        byte[] before = new MessageWriter()
                .string("")
                .string("")
                .int16(0)
                .int16(2)
                .int32(1)
                .bytes(text("a"))
                .int32(LARGE)
                .toBytes();
        pushGiant('B', before, line(), LARGE, new byte[] {0, 0});
        List<Message> answer = client.execute("", 0).sync().readUntilReady();
        assertThat(answer.removeFirst().type()).isEqualTo('1');
        assertTooLong(answer);
    }

    private void giantParse(String name, String before, int length, String after) {
        pushGiant('P', text(name + "\0" + before), line(), length, text(after + "\0\0\0"));
    }

    /** Says a message whose body is {@code filling} between two ends, holding one piece at a time. */
    private void pushGiant(char type, byte[] before, byte[] filling, int length, byte[] after) {
        MemoryUse idle = MemoryUse.now();
        client.flushOut();
        client.push(ByteBuffer.allocate(5)
                .put((byte) type)
                .putInt(4 + before.length + length + after.length)
                .array());
        client.push(before);
        for (int sent = 0; sent < length; sent += filling.length) {
            int rest = length - sent;
            client.push(rest < filling.length ? Arrays.copyOf(filling, rest) : filling);
            if (length >= LARGE && sent / filling.length == length / filling.length / 2) {
                assertThat(MemoryUse.now().megabytesMoreThan(idle))
                        .as("megabytes more in the middle of a message '%s'", type)
                        .isLessThan(MORE_MAX);
            }
        }
        client.push(after);
    }

    private static void assertTooLong(List<Message> answer) {
        assertThat(Message.types(answer)).isEqualTo("EZ");
        Message error = answer.getFirst();
        assertThat(error.sqlState()).isEqualTo("54000");
        assertThat(error.fields().get('D') + error.fields().get('H')).contains("tenantry.proxy.query-length-max");
    }

    /** A megabyte of lines. */
    private static byte[] line() {
        byte[] bytes = new byte[MEGABYTE];
        Arrays.fill(bytes, (byte) 'x');
        for (int i = 8191; i < bytes.length; i += 8192) {
            bytes[i] = '\n';
        }
        return bytes;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
