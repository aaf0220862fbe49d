package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.ManyConnections;
import dev.tenantry.support.MemoryUse;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What no client should send: it ends that connection at most, and others never notice. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class GarbageIT {
    /** Sockets of the last crowd that the proxy may not have closed yet when the next one is counted. */
    private static final int STILL_CLOSING = 50;

    private static final System.Logger LOG = System.getLogger(GarbageIT.class.getName());

    private final Endpoint endpoint;
    private final RawClient bystander;
    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);

    GarbageIT(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.bystander = endpoint.login();
    }

    @AfterEach
    void othersNoticedNothing() {
        assertThat(bystander.value("SELECT 'seed " + seed + "'")).isEqualTo("seed " + seed);
        bystander.close();
        try (RawClient newcomer = endpoint.login()) {
            assertThat(newcomer.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void survivesRandomBytesInsteadOfStart() {
        for (int round = 0; round < 200; round++) {
            byte[] noise = new byte[1 + random.nextInt(3000)];
            random.nextBytes(noise);
            try (RawClient client = endpoint.connect()) {
                client.raw(noise);
                sayQuietly(client);
            }
        }
    }

    @Test
    void survivesStartCutOffAnywhere() {
        MessageWriter body = new MessageWriter().int32(RawClient.PROTOCOL_3_0);
        endpoint.startup().forEach((name, value) -> body.string(name).string(value));
        byte[] packet = body.int8(0).toStartupPacket();
        for (int length = 1; length < packet.length; length++) {
            try (RawClient client = endpoint.connect()) {
                client.raw(Arrays.copyOf(packet, length)).shutdownOutput();
                assertThat(client.readToEnd()).isEmpty();
            }
        }
    }

    @Test
    void survivesRandomBytesInSession() {
        for (int round = 0; round < 100; round++) {
            byte[] noise = new byte[1 + random.nextInt(3000)];
            random.nextBytes(noise);
            try (RawClient client = endpoint.login()) {
                client.raw(noise);
                sayQuietly(client);
            }
        }
    }

    @Test
    void survivesRandomBodiesOfRealMessages() {
        String types = "QPBDECSHFdcfXp";
        for (int round = 0; round < 300; round++) {
            try (RawClient client = endpoint.login()) {
                for (int i = 0; i < 3; i++) {
                    byte[] noise = new byte[random.nextInt(60)];
                    random.nextBytes(noise);
                    client.message(types.charAt(random.nextInt(types.length())), new MessageWriter().bytes(noise));
                }
                client.sync();
                sayQuietly(client);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 3, Integer.MAX_VALUE})
    void endsSessionThatSendsImpossibleLength(int length) {
        try (RawClient client = endpoint.login()) {
            client.raw(new MessageWriter()
                    .int8('Q')
                    .int32(length)
                    .string("SELECT 1")
                    .toBytes());
            assertThat(client.readToEnd()).noneMatch(message -> message.type() == 'Z');
        }
    }

    @ParameterizedTest
    @ValueSource(chars = {'p', 'z', '\0', 'R', 'Z'})
    void endsSessionThatSendsUnknownMessage(char type) {
        try (RawClient client = endpoint.login()) {
            client.message(type, new MessageWriter().int32(0)).query("SELECT 1");
            List<Message> answer = client.readToEnd();
            assertThat(Message.types(answer)).isEqualTo("E");
            assertThat(answer.getFirst().sqlState()).isEqualTo("08P01");
            assertThat(answer.getFirst().errorMessage()).isEqualTo("invalid frontend message type " + (int) type);
        }
    }

    @ParameterizedTest
    @ValueSource(chars = {'Q', 'P', 'B', 'D', 'E', 'C', 'F'})
    void refusesMessageThatIsTooShortForItsType(char type) {
        try (RawClient client = endpoint.login()) {
            client.message(type, new MessageWriter()).sync().flushOut();
            Message answer = client.read();
            assertThat(answer.type()).isEqualTo('E');
            assertThat(answer.sqlState()).isEqualTo("08P01");
        }
    }

    @Test
    void refusesQueryWithBytesBehindItsEnd() {
        try (RawClient client = endpoint.login()) {
            client.message('Q', new MessageWriter().string("SELECT 1").string("SELECT 2"));
            Message answer = client.read();
            assertThat(answer.sqlState()).isEqualTo("08P01");
        }
    }

    @Test
    void endsSignInThatTalksOutOfTurn() {
        try (RawClient client = endpoint.connect()) {
            client.startup(RawClient.PROTOCOL_3_0, endpoint.startup()).read();
            client.query("SELECT 1");
            List<Message> answer = client.readToEnd();
            assertThat(Message.types(answer)).isEqualTo("E");
            assertThat(answer.getFirst().sqlState()).isEqualTo("08P01");
        }
    }

    @Test
    void servesOthersWhileManyConnectionsSayNothing() {
        boolean isProxy = endpoint == Endpoint.PROXY;
        int many = isProxy ? Math.min(10_000, ManyConnections.limit()) : 80;
        if (isProxy && many < 10_000) {
            LOG.log(System.Logger.Level.WARNING, "only {0} connections: see ulimit -n", many);
        }
        openAndServe(many, isProxy); // what a first crowd makes pools and tables grow to, stays
        MemoryUse before = MemoryUse.now();
        openAndServe(many, isProxy);
        assertThat(MemoryUse.now().megabytesMoreThan(before))
                .as("megabytes kept after %d connections", many)
                .isLessThan(16);
    }

    private void openAndServe(int many, boolean isProxy) {
        long openBefore = ManyConnections.openFiles();
        try (ManyConnections silent = ManyConnections.open(endpoint.host(), endpoint.port(), many);
                RawClient client = endpoint.login()) {
            assertThat(client.value("SELECT 1")).isEqualTo("1");
            assertThat(silent.areOpen()).isTrue();
            if (isProxy) {
                assertThat(ManyConnections.openFiles() - openBefore).isGreaterThan(many - STILL_CLOSING);
            }
        }
        Eventually.passes(() -> assertThat(ManyConnections.openFiles()).isLessThan(openBefore + STILL_CLOSING));
    }

    @Test
    void servesOthersWhileOneSendsByteByByte() {
        byte[] query = new MessageWriter().string("SELECT 'slow', 'but right'").toMessage('Q');
        try (RawClient slow = endpoint.login();
                RawClient slower = endpoint.login()) {
            slower.raw(new byte[] {'Q', 0x3f, 0, 0, 0}).flushOut(); // announces 1 GB
            for (byte b : query) {
                slow.push(new byte[] {b});
                slower.push(new byte[] {'-'});
                assertThat(bystander.value("SELECT 1")).isEqualTo("1");
            }
            assertThat(Message.rows(slow.readUntilReady())).containsExactly(List.of("slow", "but right"));
            assertThat(slower.hasInput()).isFalse();
        }
    }

    /** Lets out what was said and reads whatever comes; the connection may end at any time. */
    private static void sayQuietly(RawClient client) {
        try {
            client.shutdownOutput();
            client.readToEnd();
        } catch (UncheckedIOException ended) {
            assertThat(ended.getCause()).isNotInstanceOf(SocketTimeoutException.class);
        }
    }
}
