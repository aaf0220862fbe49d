package dev.tenantry.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartupPacketTest {

    @Test
    void readsRequestsThatAreCodeAlone() {
        assertThat(StartupPacket.parse(Unpooled.buffer().writeInt(80877103))).isEqualTo(new StartupPacket.SslRequest());
        assertThat(StartupPacket.parse(Unpooled.buffer().writeInt(80877104)))
                .isEqualTo(new StartupPacket.GssEncRequest());
    }

    @Test
    void readsCancelRequestWithKeyOfAnyLengthUpTo256() {
        for (int length : new int[] {1, 4, 32, 256}) {
            byte[] key = new byte[length];
            Arrays.fill(key, (byte) length);
            StartupPacket packet = StartupPacket.parse(
                    Unpooled.buffer().writeInt(80877102).writeInt(-5).writeBytes(key));
            assertThat(packet).isEqualTo(new StartupPacket.CancelRequest(-5, key));
            assertThat(packet).hasToString("CancelRequest[processId=-5]");
        }
    }

    @Test
    void refusesCancelRequestWithoutOrWithTooLongKey() {
        assertViolation(Unpooled.buffer().writeInt(80877102), "08P01", "invalid length of cancel request packet");
        assertViolation(
                Unpooled.buffer().writeInt(80877102).writeInt(1),
                "08P01",
                "invalid length of cancel key in cancel request packet");
        assertViolation(
                Unpooled.buffer().writeInt(80877102).writeInt(1).writeZero(257),
                "08P01",
                "invalid length of cancel key in cancel request packet");
    }

    @Test
    void keepsParametersInOrderAndProtocolOptionsApart() {
        StartupPacket.Startup startup = startup(
                3 << 16 | 2, "user", "u", "_pq_.a", "1", "database", "d", "options", "-c a=b", "_pq_.b", "", "zz", "é");
        assertThat(startup.parameters())
                .containsExactly(
                        Map.entry("user", "u"),
                        Map.entry("database", "d"),
                        Map.entry("options", "-c a=b"),
                        Map.entry("zz", "é"));
        assertThat(startup.protocolOptions()).containsExactly("_pq_.a", "_pq_.b");
        assertThat(startup.options().settings()).containsExactly(new StartupOptions.Setting("a", "b"));
        assertThat(startup.user()).isEqualTo("u");
        assertThat(startup.database()).isEqualTo("d");
    }

    @Test
    void takesTheUsersNameForMissingDatabase() {
        assertThat(startup(196608, "user", "u").database()).isEqualTo("u");
        assertThat(startup(196608, "user", "u", "database", "").database()).isEqualTo("u");
    }

    @Test
    void cutsNamesAsTheServerDoes() {
        assertThat(startup(196608, "user", "x".repeat(64)).user()).isEqualTo("x".repeat(63));
        assertThat(startup(196608, "user", "x".repeat(62) + "é").user()).isEqualTo("x".repeat(62));
    }

    @Test
    void wantsUserName() {
        assertThatThrownBy(() -> startup(196608, "database", "d").user())
                .isInstanceOfSatisfying(ProtocolViolation.class, violation -> {
                    assertThat(violation.sqlState()).isEqualTo("28000");
                    assertThat(violation).hasMessage("no PostgreSQL user name specified in startup packet");
                });
    }

    @ParameterizedTest
    @ValueSource(ints = {0 << 16, 1 << 16, 2 << 16, 4 << 16, 9 << 16 | 9999})
    void refusesOtherMajorVersion(int version) {
        assertViolation(
                Unpooled.buffer().writeInt(version).writeByte(0),
                "0A000",
                "unsupported frontend protocol " + (version >> 16) + "." + (version & 0xFFFF)
                        + ": server supports 3.0 to 3.2");
    }

    @Test
    void refusesBodyWithoutTerminatorAsLastByte() {
        for (String body : List.of("", "user", "user\0", "user\0me", "user\0me\0", "user\0me\0\0x", "\0\0", "x")) {
            assertViolation(
                    Unpooled.buffer().writeInt(196608).writeBytes(body.getBytes(StandardCharsets.UTF_8)),
                    "08P01",
                    "invalid startup packet layout: expected terminator as last byte");
        }
    }

    @Test
    void refusesWhatIsNotUtf8() {
        ByteBuf body = Unpooled.buffer().writeInt(196608).writeBytes(new byte[] {'u', 0, (byte) 0xFF, 0, 0});
        assertViolation(body, "22021", "invalid byte sequence for encoding \"UTF8\" in startup packet");
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 4, 7, 10_005, Integer.MAX_VALUE})
    void refusesLengthThatNoStartupPacketHas(int lengthWord) {
        assertThatThrownBy(() -> StartupPacket.bodyLength(lengthWord))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessage("invalid length of startup packet");
    }

    @Test
    void acceptsLengthsInBetween() {
        assertThat(StartupPacket.bodyLength(8)).isEqualTo(4);
        assertThat(StartupPacket.bodyLength(10_004)).isEqualTo(10_000);
    }

    @ParameterizedTest
    @CsvSource({"0,0,false", "1,1,false", "2,2,false", "3,2,true", "9999,2,true"})
    void negotiatesNewerMinorVersionDown(int asked, int spoken, boolean told) {
        StartupPacket.Startup startup = startup(3 << 16 | asked, "user", "u");
        assertThat(startup.spokenMinor()).isEqualTo(spoken);
        assertThat(startup.negotiation().isPresent()).isEqualTo(told);
    }

    @Test
    void tellsUnknownProtocolOptions() {
        ByteBuf out = Unpooled.buffer();
        startup(196608, "user", "u", "_pq_.x", "1", "_pq_.yy", "")
                .negotiation()
                .orElseThrow()
                .encode(out);
        byte[] names = "_pq_.x\0_pq_.yy\0".getBytes(StandardCharsets.US_ASCII);
        assertThat(out)
                .isEqualTo(Unpooled.buffer()
                        .writeByte('v')
                        .writeInt(12 + names.length)
                        .writeInt(196608)
                        .writeInt(2)
                        .writeBytes(names));
    }

    @ParameterizedTest
    @CsvSource({
        "database,DATABASE",
        "true,PHYSICAL",
        "1,PHYSICAL",
        "ON,PHYSICAL",
        "t,PHYSICAL",
        "Yes,PHYSICAL",
        "false,NONE",
        "0,NONE",
        "of,NONE",
        "n,NONE"
    })
    void readsReplicationAsTheServerDoes(String value, StartupPacket.Replication expected) {
        assertThat(startup(196608, "user", "u", "replication", value).replication())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "o", "DATABASE", "2", "truex"})
    void refusesReplicationOfNoKnownKind(String value) {
        assertThatThrownBy(
                        () -> startup(196608, "user", "u", "replication", value).replication())
                .isInstanceOf(ProtocolViolation.class)
                .hasMessage("invalid value for parameter \"replication\": \"" + value + "\"");
    }

    @Test
    void answersRandomBytesWithPacketOrViolation() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        int[] codes = {196608, 196610, 80877102, 80877103, random.nextInt()};
        for (int round = 0; round < 20_000; round++) {
            byte[] tail = new byte[random.nextInt(40)];
            for (int i = 0; i < tail.length; i++) {
                tail[i] = (byte) (random.nextInt(4) == 0 ? 0 : random.nextInt(256));
            }
            ByteBuf body = Unpooled.buffer()
                    .writeInt(codes[random.nextInt(codes.length)])
                    .writeBytes(tail);
            try {
                StartupPacket.parse(body);
                assertThat(body.isReadable())
                        .as("seed %d round %d", seed, round)
                        .isFalse();
            } catch (ProtocolViolation violation) {
                assertThat(violation.sqlState())
                        .as("seed %d round %d", seed, round)
                        .hasSize(5);
            }
        }
    }

    private static StartupPacket.Startup startup(int version, String... namesAndValues) {
        ByteBuf body = Unpooled.buffer().writeInt(version);
        for (String text : namesAndValues) {
            body.writeBytes(text.getBytes(StandardCharsets.UTF_8)).writeByte(0);
        }
        return (StartupPacket.Startup) StartupPacket.parse(body.writeByte(0));
    }

    private static void assertViolation(ByteBuf body, String sqlState, String message) {
        assertThatThrownBy(() -> StartupPacket.parse(body))
                .isInstanceOfSatisfying(ProtocolViolation.class, violation -> {
                    assertThat(violation.sqlState()).isEqualTo(sqlState);
                    assertThat(violation).hasMessage(message);
                });
    }
}
