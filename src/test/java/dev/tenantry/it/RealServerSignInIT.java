package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.proxy.auth.AuthenticationFailure;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.auth.ScramKeys;
import dev.tenantry.proxy.auth.ScramSecrets;
import dev.tenantry.proxy.auth.ScramServer;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.TestCertificate;
import dev.tenantry.wire.AuthenticationRequest;
import dev.tenantry.wire.StartupOptions;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our start against the real server's: what it takes from us, and its words where ours must be the same. */
class RealServerSignInIT {

    private static final String PASSWORD = "It's\u00a0a pass\u00adword\u2168 é";
    private static final Map<String, String> ALICE = Map.of("user", "alice", "database", "tenantry");
    private static final ScramSecrets SECRETS = ScramSecrets.random();

    private static PostgresNode node = PostgresNode.start("sign-in");
    private static TestCertificate certificate = TestCertificate.create();

    @BeforeAll
    static void turnTlsOn() throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            certificate.install(statement);
            statement.execute("CREATE ROLE alice LOGIN PASSWORD '" + PASSWORD.replace("'", "''") + "'");
        }
        node.restart();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @Test
    void letsRawClientInByEveryMechanism() {
        try (RawClient client = RawClient.login(node.host(), node.port(), "alice", PASSWORD, "tenantry")) {
            assertThat(client.mechanism()).isEqualTo("SCRAM-SHA-256");
            assertThat(client.value("SELECT current_user")).isEqualTo("alice");
        }
        try (RawClient client = overTls()) {
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, ALICE);
            assertThat(client.mechanism()).isEqualTo("SCRAM-SHA-256-PLUS");
            assertThat(client.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
                    .isEqualTo("t");
        }
    }

    @Test
    void letsUsInWithKeysAlone() throws SQLException {
        ScramKeys keys = keysOf(verifierOf("alice"), PASSWORD);
        try (RawClient client = RawClient.connect(node.host(), node.port())) {
            assertThat(signIn(client, new ScramClient.Credentials.Keys(keys), Optional.empty()))
                    .isInstanceOf(ScramClient.Step.SignedIn.class);
            client.readUntilReady();
            assertThat(client.value("SELECT current_user")).isEqualTo("alice");
        }
        try (RawClient client = overTls()) {
            Optional<byte[]> endPoint = Optional.of(TestCertificate.endPoint(certificate.certificate()));
            assertThat(signIn(client, new ScramClient.Credentials.Keys(keys), endPoint))
                    .isInstanceOf(ScramClient.Step.SignedIn.class);
            client.readUntilReady();
            assertThat(client.value("SELECT current_user")).isEqualTo("alice");
        }
    }

    @Test
    void letsUsInWithPassword() {
        try (RawClient client = RawClient.connect(node.host(), node.port())) {
            assertThat(signIn(client, new ScramClient.Credentials.Password(PASSWORD), Optional.empty()))
                    .isInstanceOf(ScramClient.Step.SignedIn.class);
        }
    }

    @Test
    void seesThatTheNodesRoleHasAnotherVerifier() {
        ScramVerifier other = ScramVerifier.of(PASSWORD, 4096, new byte[] {1, 2, 3});
        try (RawClient client = RawClient.connect(node.host(), node.port())) {
            ScramClient.Step step =
                    signIn(client, new ScramClient.Credentials.Keys(keysOf(other, PASSWORD)), Optional.empty());
            AuthenticationFailure failure = ((ScramClient.Step.Failed) step).failure();
            assertThat(failure.message()).contains("has another password verifier on the node");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x,,n=,r=abc",
                "nn,n=,r=abc",
                "n,a=me,n=,r=abc",
                "n,b=me,n=,r=abc",
                "n,,m=x,n=,r=abc",
                "n,,r=abc",
                "n,,n,r=abc",
                "n,,n=,r=a\u0001b",
                "n,,n=,r=abc,1=2",
                "p=tls-server-end-point,,n=,r=abc",
                "",
                "n,,n=,r=abc|c=eSws,r=NONCE,p=AAAA",
                "n,,n=,r=abc|c=biws,r=NONCE,p=AAAA",
                "n,,n=,r=abc|c=biws,r=NONCE",
                "n,,n=,r=abc|c=biws,r=NONCE,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=,x=1",
                "n,,n=,r=abc|c=biws,r=other,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "n,,n=,r=abc|c=biws,r=NONCE,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "n,,n=,r=abc|",
            })
    void saysTheSameOfBrokenExchangesAsWeDo(String messages) throws SQLException {
        String[] said = messages.split("\\|", -1);
        ScramServer ours = new ScramServer("alice", Optional.of(verifierOf("alice")), SECRETS, Optional.empty());
        try (RawClient client = RawClient.connect(node.host(), node.port())) {
            client.startup(RawClient.PROTOCOL_3_0, ALICE).read();
            MessageWriter first = new MessageWriter()
                    .string("SCRAM-SHA-256")
                    .int32(said[0].length())
                    .bytes(said[0].getBytes(StandardCharsets.UTF_8));
            client.message('p', first);
            ScramServer.Step our = ours.onResponse(first.toBytes());
            if (said.length > 1 && our instanceof ScramServer.Step.Continue next) {
                client.message('p', proof(said[1], client.read().text().substring(4)));
                our = ours.onResponse(proof(said[1], next.reply().message()).toBytes());
            }
            Message theirs = client.read();
            AuthenticationFailure failure = ((ScramServer.Step.Refused) our).failure();
            assertThat(theirs.fields().get('C')).isEqualTo(failure.sqlState());
            assertThat(theirs.fields().get('M')).isEqualTo(failure.message());
            assertThat(Optional.ofNullable(theirs.fields().get('D'))).isEqualTo(failure.detail());
        }
    }

    private static MessageWriter proof(String text, String serverFirst) {
        String nonce = serverFirst.substring(2, serverFirst.indexOf(','));
        return new MessageWriter().bytes(text.replace("NONCE", nonce).getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-c search_path=a",
                "  -c   search_path=\"a\\ b\\\\c\"  ",
                "-csearch-path=\"A\\ b\",c",
                "--search_path=x=y -c work_mem=5MB",
                "-S 7MB -fs -f h -t pl -e",
                "-Ework_mem=1 -c search_path=a",
                "-Ecsearch_path=q",
                "-e -Ework_mem=1",
                "-c\tsearch_path=a\n-c\u000bwork_mem=3MB",
                "-c search_path",
                "--search_path",
                "-z",
                "-c",
                "search_path=a",
                "-c search_path=a rest",
                "-- -c search_path=a",
                "-",
                "-f z",
                "-t z",
                "-c search_path=a\\",
            })
    void readsOptionsAsTheServerDoes(String options) {
        Map<String, String> parameters = Map.of("user", "tenantry", "database", "tenantry", "options", options);
        try (RawClient client = RawClient.connect(node.host(), node.port())) {
            List<Message> refused = client.trySignIn(RawClient.PROTOCOL_3_0, "tenantry", parameters);
            if (!refused.isEmpty()) {
                assertThat(refused.getFirst().sqlState()).isEqualTo("42601");
                assertThatThrownBy(() -> StartupOptions.parse(options))
                        .hasMessage(refused.getFirst().errorMessage());
                return;
            }
            Map<String, String> expected = new LinkedHashMap<>();
            StartupOptions.parse(options).settings().forEach(setting -> expected.put(setting.key(), setting.value()));
            assertThat(expected).isNotEmpty();
            expected.forEach((name, value) -> {
                String shown = client.value("SHOW " + name);
                switch (name) {
                    case "datestyle" -> assertThat(shown).endsWith(", DMY");
                    default -> assertThat(shown).isEqualTo(bool(value));
                }
            });
        }
    }

    private static String bool(String value) {
        return value.equals("true") ? "on" : value.equals("false") ? "off" : value;
    }

    private static RawClient overTls() {
        RawClient client = RawClient.connect(node.host(), node.port());
        assertThat(client.requestSsl()).isEqualTo('S');
        client.startTls();
        return client;
    }

    private static ScramClient.Step signIn(
            RawClient client, ScramClient.Credentials credentials, Optional<byte[]> endPoint) {
        ScramClient scram = new ScramClient("alice", credentials, SECRETS, endPoint);
        client.startup(RawClient.PROTOCOL_3_0, ALICE);
        while (true) {
            Message message = client.read();
            assertThat(message.type()).as("%s", message).isEqualTo('R');
            ScramClient.Step step =
                    scram.onRequest(AuthenticationRequest.parse(Unpooled.wrappedBuffer(message.body())));
            switch (step) {
                case ScramClient.Step.Send(byte[] answer) -> client.raw(answer);
                case ScramClient.Step.Wait() -> {
                    // the node goes on
                }
                case ScramClient.Step.SignedIn in -> {
                    return in;
                }
                case ScramClient.Step.Failed failed -> {
                    return failed;
                }
            }
        }
    }

    /** What a client that knows the password leaves at our door. */
    private static ScramKeys keysOf(ScramVerifier verifier, String password) {
        ScramServer server = new ScramServer("alice", Optional.of(verifier), SECRETS, Optional.empty());
        ScramClient client =
                new ScramClient("alice", new ScramClient.Credentials.Password(password), SECRETS, Optional.empty());
        ScramServer.Step step = server.onResponse(body(client.onRequest(server.offer())));
        while (step instanceof ScramServer.Step.Continue next) {
            step = server.onResponse(body(client.onRequest(next.reply())));
        }
        return ((ScramServer.Step.Accepted) step).keys();
    }

    private static byte[] body(ScramClient.Step step) {
        byte[] message = ((ScramClient.Step.Send) step).message();
        return Arrays.copyOfRange(message, 5, message.length);
    }

    private static ScramVerifier verifierOf(String role) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT rolpassword FROM pg_authid WHERE rolname = '" + role + "'")) {
            rows.next();
            return ScramVerifier.parse(rows.getString(1)).orElseThrow();
        }
    }
}
