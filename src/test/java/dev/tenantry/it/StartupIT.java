package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The start of a connection: requests for encryption, versions, parameters, and who is let in. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class StartupIT {

    private static final int SSL_REQUEST = 80877103;
    private static final int GSS_ENC_REQUEST = 80877104;
    private static final String PASSWORD = "tenantry";

    private final Endpoint endpoint;

    StartupIT(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 4, 7, 10_005, 1 << 30, Integer.MAX_VALUE})
    void closesOnLengthThatNoStartupPacketHas(int length) {
        try (RawClient client = endpoint.connect()) {
            client.raw(new MessageWriter()
                    .int32(length)
                    .int32(RawClient.PROTOCOL_3_0)
                    .toBytes());
            assertThat(client.readToEnd()).allMatch(message -> message.type() == 'E');
        }
    }

    @Test
    void readsStartupPacketThatComesByteByByte() {
        MessageWriter body = new MessageWriter().int32(RawClient.PROTOCOL_3_0);
        endpoint.startup().forEach((name, value) -> body.string(name).string(value));
        try (RawClient client = endpoint.connect()) {
            for (byte piece : body.int8(0).toStartupPacket()) {
                client.raw(new byte[] {piece}).flushOut();
            }
            assertThat(client.read().type()).isEqualTo('R');
        }
    }

    @Test
    void saysNoToGssEncryptionAndGoesOn() {
        try (RawClient client = endpoint.connect()) {
            char answer = client.requestGssEncryption();
            Assumptions.assumeFalse(endpoint == Endpoint.SERVER && answer == 'G', "this server speaks GSSAPI");
            assertThat(answer).isEqualTo('N');
            if (client.requestSsl() == 'S') {
                client.startTls();
            }
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, endpoint.startup());
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void answersTlsBeforeGss() {
        try (RawClient client = endpoint.connect()) {
            if (client.requestSsl() == 'N') {
                assertThat(client.requestGssEncryption()).isEqualTo('N');
            } else {
                client.startTls();
            }
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, endpoint.startup());
        }
    }

    @Test
    void refusesSecondTlsRequest() {
        try (RawClient client = endpoint.connect()) {
            if (client.requestSsl() == 'S') {
                client.startTls();
            }
            client.raw(new MessageWriter().int32(SSL_REQUEST).toStartupPacket());
            Message error = client.read();
            assertThat(error.sqlState()).isEqualTo("0A000");
            assertThat(error.errorMessage()).startsWith("unsupported frontend protocol 1234.5679: server supports 3.0");
        }
    }

    @Test
    void refusesWhatComesInOnePieceWithGssRequest() {
        try (RawClient client = endpoint.connect()) {
            client.raw(new MessageWriter().int32(GSS_ENC_REQUEST).toStartupPacket());
            client.raw(new MessageWriter().int32(SSL_REQUEST).toStartupPacket());
            char answer = (char) client.readByte();
            Assumptions.assumeFalse(endpoint == Endpoint.SERVER && answer == 'G', "this server speaks GSSAPI");
            assertThat(answer).isEqualTo('N');
            Message error = client.read();
            assertThat(error.sqlState()).isEqualTo("08P01");
            assertThat(error.errorMessage()).isEqualTo("received unencrypted data after GSSAPI encryption request");
            assertThat(client.readToEnd()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {SSL_REQUEST, GSS_ENC_REQUEST, RawClient.PROTOCOL_3_0})
    void refusesWhatComesInOnePieceWithTlsRequestWhereThereIsNoTls(int code) {
        Assumptions.assumeTrue(endpoint == Endpoint.PROXY, "observed of PostgreSQL 15 and 18 with ssl = off");
        try (RawClient client =
                RawClient.connect(Cluster.shared().host(), Cluster.shared().port())) {
            client.raw(new MessageWriter().int32(SSL_REQUEST).toStartupPacket());
            client.raw(new MessageWriter().int32(code).toStartupPacket());
            assertThat((char) client.readByte()).isEqualTo('N');
            Message error = client.read();
            assertThat(error.sqlState()).isEqualTo("08P01");
            assertThat(error.errorMessage()).isEqualTo("received unencrypted data after SSL request");
            assertThat(client.readToEnd()).isEmpty();
        }
    }

    @Test
    void refusesGssOverTls() {
        try (RawClient client = endpoint.connect()) {
            Assumptions.assumeTrue(client.requestSsl() == 'S', "the endpoint has no TLS");
            client.startTls();
            client.raw(new MessageWriter().int32(GSS_ENC_REQUEST).toStartupPacket());
            assertThat(client.read().sqlState()).isEqualTo("0A000");
        }
    }

    @Test
    void saysNoToTlsRequestOfClientThatHasBegunWithTls() {
        assumeDirectTls();
        try (RawClient client = RawClient.connectTls(endpoint.host(), endpoint.port(), "postgresql")) {
            assertThat(client.requestSsl()).isEqualTo('N');
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, endpoint.startup());
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void refusesPlainBytesBehindTlsRequest() {
        Assumptions.assumeTrue(
                endpoint != Endpoint.SERVER || endpoint.majorVersion() >= 17, "older servers wait for the handshake");
        try (RawClient client = endpoint.connect()) {
            client.raw(new MessageWriter().int32(SSL_REQUEST).toStartupPacket());
            MessageWriter body = new MessageWriter().int32(RawClient.PROTOCOL_3_0);
            endpoint.startup().forEach((name, value) -> body.string(name).string(value));
            client.raw(body.int8(0).toStartupPacket());
            // The server says yes and then refuses; the proxy refuses at once.
            assertThat(client.readByte()).isIn((int) 'S', (int) 'E');
            assertThat(client.readRawToEnd()).doesNotContain("SCRAM");
        }
    }

    @Test
    void signsInOverTlsWithChannelBinding() {
        try (RawClient client = endpoint.connect()) {
            Assumptions.assumeTrue(client.requestSsl() == 'S', "the endpoint has no TLS");
            client.startTls();
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, endpoint.startup());
            assertThat(client.mechanism()).isEqualTo("SCRAM-SHA-256-PLUS");
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void takesTlsAtOnceFromClientThatNamesTheProtocol() {
        assumeDirectTls();
        try (RawClient client = RawClient.connectTls(endpoint.host(), endpoint.port(), "postgresql")) {
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, endpoint.startup());
            assertThat(client.mechanism()).isEqualTo("SCRAM-SHA-256-PLUS");
        }
    }

    @Test
    void refusesTlsAtOnceFromClientThatNamesNoneOrAnotherProtocol() {
        assumeDirectTls();
        Assertions.assertThatThrownBy(() -> {
                    try (RawClient client = RawClient.connectTls(endpoint.host(), endpoint.port())) {
                        client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, endpoint.startup());
                    }
                })
                .isInstanceOf(UncheckedIOException.class);
        Assertions.assertThatThrownBy(() -> RawClient.connectTls(endpoint.host(), endpoint.port(), "http/1.1"))
                .isInstanceOf(UncheckedIOException.class);
    }

    private void assumeDirectTls() {
        Assumptions.assumeTrue(
                endpoint != Endpoint.SERVER || endpoint.majorVersion() >= 17, "direct TLS came with PostgreSQL 17");
        try (RawClient client = endpoint.connect()) {
            Assumptions.assumeTrue(client.requestSsl() == 'S', "the endpoint has no TLS");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 16, 2 << 16, 4 << 16})
    void refusesOtherMajorVersion(int version) {
        try (RawClient client = endpoint.connect()) {
            Message error = client.startup(version, endpoint.startup()).read();
            // A client that speaks version 1 or 2 gets the error in the form of that time.
            if (version > 3 << 16) {
                assertThat(error.sqlState()).isEqualTo("0A000");
                assertThat(error.fields().get('V')).isEqualTo("FATAL");
            } else {
                assertThat(error.type()).isEqualTo('E');
            }
        } catch (UncheckedIOException closed) {
            assertThat(version).isLessThan(3 << 16);
        }
    }

    @Test
    void negotiatesNewerMinorVersionAndUnknownOptions() {
        Assumptions.assumeTrue(endpoint != Endpoint.SERVER || endpoint.majorVersion() >= 18);
        try (RawClient client = endpoint.connect()) {
            client.startup(3 << 16 | 9999, endpoint.startup("_pq_.odd", "1", "_pq_.other", ""));
            Message negotiation = client.read();
            assertThat(negotiation.type()).isEqualTo('v');
            var body = negotiation.reader();
            assertThat(body.getInt()).isEqualTo(RawClient.PROTOCOL_3_2);
            assertThat(body.getInt()).isEqualTo(2);
            assertThat(new Message(
                                    'v',
                                    new MessageWriter()
                                            .bytes(Arrays.copyOfRange(negotiation.body(), 8, negotiation.body().length))
                                            .toBytes())
                            .strings())
                    .containsExactly("_pq_.odd", "_pq_.other");
            assertThat(client.read().type()).isEqualTo('R');
        }
        try (RawClient client = endpoint.connect()) {
            client.signIn(3 << 16 | 9999, PASSWORD, endpoint.startup());
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void doesNotNegotiateWhatItSpeaks() {
        Assumptions.assumeTrue(endpoint != Endpoint.SERVER || endpoint.majorVersion() >= 18);
        for (int version : new int[] {RawClient.PROTOCOL_3_0, RawClient.PROTOCOL_3_2}) {
            try (RawClient client = endpoint.connect()) {
                assertThat(client.startup(version, endpoint.startup()).read().type())
                        .isEqualTo('R');
            }
        }
        try (RawClient old = endpoint.login()) {
            assertThat(old.secretKey()).hasSize(4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"user", "user\0", "user\0tenantry", "user\0tenantry\0", "user\0tenantry\0\0x"})
    void refusesPacketWithoutTerminator(String body) {
        try (RawClient client = endpoint.connect()) {
            client.raw(new MessageWriter()
                    .int32(RawClient.PROTOCOL_3_0)
                    .bytes(body.getBytes(StandardCharsets.UTF_8))
                    .toStartupPacket());
            Message error = client.read();
            assertThat(error.sqlState()).isEqualTo("08P01");
            assertThat(error.errorMessage())
                    .isEqualTo("invalid startup packet layout: expected terminator as last byte");
            assertThat(client.readToEnd()).isEmpty();
        }
    }

    @Test
    void wantsUserName() {
        assertRefused(Map.of("database", "tenantry"), "28000", "no PostgreSQL user name specified in startup packet");
    }

    @Test
    void refusesWrongPasswordsAndUnknownRolesAlike() {
        assertThat(refusal("wrong", endpoint.startup()).errorMessage())
                .isEqualTo("password authentication failed for user \"tenantry\"");
        Message unknown = refusal(PASSWORD, endpoint.startup("user", "nobody_here"));
        assertThat(unknown.sqlState()).isEqualTo("28P01");
        assertThat(unknown.errorMessage()).isEqualTo("password authentication failed for user \"nobody_here\"");
        assertThat(unknown.fields().get('V')).isEqualTo("FATAL");
    }

    @Test
    void refusesUnknownDatabase() {
        assertRefused(
                endpoint.startup("database", "nothing_here"), "3D000", "database \"nothing_here\" does not exist");
    }

    @Test
    void refusesRoleThatMayNotLogIn() {
        try (RawClient client = endpoint.login()) {
            client.run("CREATE ROLE locked_out NOLOGIN PASSWORD 'secret'");
        }
        Message error = refusal("secret", endpoint.startup("user", "locked_out"));
        assertThat(error.sqlState()).isEqualTo("28000");
        assertThat(error.errorMessage()).isEqualTo("role \"locked_out\" is not permitted to log in");
    }

    @Test
    void refusesUnknownAndBadSettings() {
        assertRefused(
                endpoint.startup("no_such_setting", "1"),
                "42704",
                "unrecognized configuration parameter \"no_such_setting\"");
        assertRefused(
                endpoint.startup("options", "-c work_mem=lots"),
                "22023",
                "invalid value for parameter \"work_mem\": \"lots\"");
        assertRefused(endpoint.startup("options", "-c work_mem"), "42601", "-c work_mem requires a value");
        assertRefused(
                endpoint.startup("options", "-z"), "42601", "invalid command-line argument for server process: -z");
        assertThat(refusal(PASSWORD, endpoint.startup("x\"='1'; SELECT 1; --", "1"))
                        .type())
                .isEqualTo('E');
    }

    @Test
    void makesStartupValuesTheDefaultsOfTheSession() {
        try (RawClient client =
                endpoint.login("application_name", "mine", "DateStyle", "German", "options", "-c work_mem=7MB")) {
            assertThat(client.parameters())
                    .containsEntry("application_name", "mine")
                    .containsEntry("DateStyle", "German, DMY");
            for (String reset : List.of("RESET ALL", "DISCARD ALL")) {
                client.run("SET application_name = 'other'; SET work_mem = '9MB'; SET DateStyle = 'ISO'");
                assertThat(client.value("SHOW work_mem")).isEqualTo("9MB");
                client.run(reset);
                assertThat(client.value("SHOW application_name")).isEqualTo("mine");
                assertThat(client.value("SHOW work_mem")).isEqualTo("7MB");
                assertThat(client.value("SHOW DateStyle")).isEqualTo("German, DMY");
            }
            client.run("SET work_mem = '9MB'");
            client.run("RESET work_mem");
            assertThat(client.value("SHOW work_mem")).isEqualTo("7MB");
        }
    }

    @Test
    void readsSearchPathOfOptionsWithItsEscapes() {
        String schema;
        try (RawClient client = endpoint.login()) {
            schema = endpoint.newSchema(client);
            endpoint.newSchema(client, schema + " odd, \\name");
            client.run("CREATE TABLE \"" + schema + " odd, \\name\".t AS SELECT 'odd' AS place");
            client.run("CREATE TABLE " + schema + ".t AS SELECT 'plain' AS place");
        }
        String odd = "-c search_path=\"" + schema + "\\ odd,\\ \\\\name\",\\ pg_catalog";
        try (RawClient client = endpoint.login("options", odd)) {
            assertThat(client.value("SELECT place FROM t")).isEqualTo("odd");
        }
        try (RawClient client = endpoint.login("options", "--search-path=" + schema.toUpperCase(Locale.ROOT))) {
            assertThat(client.value("SELECT place FROM t")).isEqualTo("plain");
            client.run("SET search_path = ''");
            assertThat(Message.only(client.run("SELECT place FROM t"), 'E').sqlState())
                    .isEqualTo("42P01");
            client.run("RESET search_path");
            assertThat(client.value("SELECT place FROM t")).isEqualTo("plain");
        }
        try (RawClient client = endpoint.login("search_path", "missing, " + schema)) {
            assertThat(client.value("SELECT place FROM t")).isEqualTo("plain");
        }
        try (RawClient client = endpoint.login("search_path", schema + "'; DROP TABLE " + schema + ".t; --")) {
            assertThat(client.run("SELECT 1")).isNotEmpty();
        } catch (AssertionError refusedAsBadList) {
            assertThat(refusedAsBadList).hasMessageContaining("search_path");
        }
        try (RawClient client = endpoint.login()) {
            assertThat(client.value("SELECT place FROM " + schema + ".t")).isEqualTo("plain");
        }
    }

    @Test
    void reportsTheParametersOfRealServer() {
        try (RawClient client = endpoint.login("application_name", "x", "TimeZone", "Asia/Tokyo");
                RawClient direct = Endpoint.SERVER.login("application_name", "x", "TimeZone", "Asia/Tokyo")) {
            // A role named like our own schema has another search_path on purpose.
            client.parameters().remove("search_path");
            direct.parameters().remove("search_path");
            assertThat(client.parameters()).isEqualTo(direct.parameters());
        }
    }

    private void assertRefused(Map<String, String> startup, String sqlState, String message) {
        Message error = refusal(PASSWORD, startup);
        assertThat(error.errorMessage()).isEqualTo(message);
        assertThat(error.sqlState()).isEqualTo(sqlState);
        assertThat(error.fields().get('V')).isEqualTo("FATAL");
    }

    private Message refusal(String password, Map<String, String> startup) {
        try (RawClient client = endpoint.connect()) {
            List<Message> refused = client.trySignIn(RawClient.PROTOCOL_3_0, password, startup);
            assertThat(refused).hasSize(1);
            assertThat(client.readToEnd()).isEmpty();
            return refused.getFirst();
        }
    }
}
