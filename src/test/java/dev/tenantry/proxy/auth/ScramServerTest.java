package dev.tenantry.proxy.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.scram.ScramVerifier;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScramServerTest {

    private static final byte[] SALT = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static final ScramVerifier VERIFIER = ScramVerifier.of("pencil", 4096, SALT);
    private static final byte[] END_POINT = {1, 2, 3, 4};
    private static final ScramSecrets SECRETS =
            new ScramSecrets(() -> "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", new byte[] {7});

    private final ScramServer plain = new ScramServer("user", Optional.of(VERIFIER), SECRETS, Optional.empty());
    private final ScramServer overTls = new ScramServer("user", Optional.of(VERIFIER), SECRETS, Optional.of(END_POINT));

    @Test
    void agreesWithTheExampleOfRfc7677() {
        ScramServer.Step first = plain.onResponse(initial("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
        assertThat(text(first))
                .isEqualTo(
                        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        ScramServer.Step last = plain.onResponse(bytes("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        assertThat(text(last)).isEqualTo("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        ScramKeys keys = ((ScramServer.Step.Accepted) last).keys();
        assertThat(ScramMath.storedKey(keys.clientKey())).isEqualTo(VERIFIER.storedKey());
        assertThat(keys.verifier()).isEqualTo(VERIFIER);
        assertThat(keys.toString()).isEqualTo("ScramKeys");
    }

    @Test
    void refusesProofOfAnotherPassword() {
        AuthenticationFailure failure = failure(exchange(plain, "pencils"));
        assertThat(failure.sqlState()).isEqualTo("28P01");
        assertThat(failure.message()).isEqualTo("password authentication failed for user \"user\"");
    }

    @Test
    void offersChannelBindingOnlyWhenThereIsCertificateHash() {
        assertThat(plain.offer().mechanisms()).containsExactly("SCRAM-SHA-256");
        assertThat(overTls.offer().mechanisms()).containsExactly("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
    }

    @Test
    void asksForTheFirstMessageWhenItDidNotComeWithTheMechanism() {
        byte[] body = bytes("SCRAM-SHA-256\0\u00ff\u00ff\u00ff\u00ff");
        assertThat(text(plain.onResponse(body))).isEmpty();
        assertThat(text(plain.onResponse(bytes("n,,n=,r=abc")))).startsWith("r=abc%hv");
    }

    @Test
    void ignoresOptionalExtensions() {
        assertThat(text(plain.onResponse(initial("SCRAM-SHA-256", "n,,n=user,r=abc,x=1,Y=2"))))
                .startsWith("r=abc%hv");
        String withoutProof = "c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,q=ext";
        String authMessage = "n=user,r=abc,x=1,Y=2,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," + withoutProof;
        assertThat(plain.onResponse(bytes(withoutProof + ",p=" + proof("pencil", authMessage))))
                .isInstanceOf(ScramServer.Step.Accepted.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            SCRAM-SHA-1|n,,n=,r=abc|08P01|client selected an invalid SASL authentication mechanism|
            SCRAM-SHA-256-PLUS|p=tls-server-end-point,,n=,r=a|08P01|client selected an invalid SASL authentication mechanism|
            SCRAM-SHA-256|p=tls-server-end-point,,n=,r=a|08P01|malformed SCRAM message|The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.
            SCRAM-SHA-256|x,,n=,r=abc|08P01|malformed SCRAM message|Unexpected channel-binding flag "'x'".
            SCRAM-SHA-256|nn,n=,r=abc|08P01|malformed SCRAM message|Comma expected, but found character "'n'".
            SCRAM-SHA-256|n,a=me,n=,r=abc|0A000|client uses authorization identity, but it is not supported|
            SCRAM-SHA-256|n,b=me,n=,r=abc|08P01|malformed SCRAM message|Unexpected attribute "'b'" in client-first-message.
            SCRAM-SHA-256|n,,m=x,n=,r=abc|0A000|client requires an unsupported SCRAM extension|
            SCRAM-SHA-256|n,,r=abc|08P01|malformed SCRAM message|Expected attribute "n" but found "'r'".
            SCRAM-SHA-256|n,,n,r=abc|08P01|malformed SCRAM message|Expected character "=" for attribute "n".
            SCRAM-SHA-256|n,,n=,r=a b|08P01|non-printable characters in SCRAM nonce|
            SCRAM-SHA-256|n,,n=,r=abc,1=2|08P01|malformed SCRAM message|Attribute expected, but found invalid character "'1'".
            SCRAM-SHA-256|``|08P01|malformed SCRAM message|The message is empty.
            """)
    void refusesMalformedFirstMessage(String mechanism, String data, String sqlState, String message, String detail) {
        AuthenticationFailure failure = failure(plain.onResponse(initial(mechanism, data)));
        assertThat(failure.sqlState()).isEqualTo(sqlState);
        assertThat(failure.message()).isEqualTo(message);
        assertThat(failure.detail()).isEqualTo(Optional.ofNullable(detail));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            c=eSws,r=NONCE,p=AAAA|unexpected SCRAM channel-binding attribute in client-final-message|
            c=biws,r=NONCE,p=AAAA|malformed SCRAM message|Malformed proof in client-final-message.
            c=biws,r=NONCE,p=!!!!|malformed SCRAM message|Malformed proof in client-final-message.
            c=biws,r=NONCE|malformed SCRAM message|Attribute expected, but found end of string.
            c=biws,r=NONCE,p=PROOF,x=1|malformed SCRAM message|Garbage found at the end of client-final-message.
            c=biws,r=NONCEx,p=PROOF|invalid SCRAM response|Nonce does not match.
            c=biws,r=abc,p=PROOF|invalid SCRAM response|Nonce does not match.
            """)
    void refusesMalformedFinalMessage(String data, String message, String detail) {
        plain.onResponse(initial("SCRAM-SHA-256", "n,,n=,r=abc"));
        AuthenticationFailure failure =
                failure(plain.onResponse(bytes(data.replace("NONCE", "abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
                        .replace("PROOF", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))));
        assertThat(failure.sqlState()).isEqualTo("08P01");
        assertThat(failure.message()).isEqualTo(message);
        assertThat(failure.detail()).isEqualTo(Optional.ofNullable(detail));
    }

    @Test
    void refusesBodyThatIsCutOff() {
        assertThat(failure(plain.onResponse(bytes("SCRAM-SHA-256"))).message()).isEqualTo("invalid string in message");
        assertThat(failure(new ScramServer("user", Optional.of(VERIFIER), SECRETS, Optional.empty())
                                .onResponse(bytes("SCRAM-SHA-256\0\0\0\0\u0009n,,")))
                        .message())
                .isEqualTo("insufficient data left in message");
    }

    @Test
    void refusesFurtherMessageAfterTheEnd() {
        exchange(plain, "wrong");
        assertThat(failure(plain.onResponse(bytes("n,,n=,r=abc"))).sqlState()).isEqualTo("08P01");
    }

    @Nested
    class OverTls {

        @Test
        void acceptsRightChannelBinding() {
            assertThat(exchange(overTls, "pencil")).isInstanceOf(ScramServer.Step.Accepted.class);
        }

        @Test
        void refusesBindingToAnotherCertificate() {
            ScramClient client = client("pencil", Optional.of(new byte[] {9, 9}));
            AuthenticationFailure failure = failure(run(overTls, client));
            assertThat(failure.sqlState()).isEqualTo("28000");
            assertThat(failure.message()).isEqualTo("SCRAM channel binding check failed");
        }

        @Test
        void noticesThatItsOfferWasTakenOut() {
            AuthenticationFailure failure = failure(overTls.onResponse(initial("SCRAM-SHA-256", "y,,n=,r=abc")));
            assertThat(failure.sqlState()).isEqualTo("28000");
            assertThat(failure.message()).isEqualTo("SCRAM channel binding negotiation error");
        }

        @Test
        void acceptsClientThatDoesNotBind() {
            assertThat(run(overTls, client("pencil", Optional.empty()))).isInstanceOf(ScramServer.Step.Accepted.class);
        }

        @Test
        void refusesPlusWithoutBindingData() {
            assertThat(failure(overTls.onResponse(initial("SCRAM-SHA-256-PLUS", "n,,n=,r=abc")))
                            .detail())
                    .contains("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel "
                            + "binding data.");
        }

        @Test
        void refusesAnotherKindOfBinding() {
            assertThat(failure(overTls.onResponse(initial("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=,r=abc")))
                            .message())
                    .isEqualTo("unsupported SCRAM channel-binding type \"tls-unique\"");
        }
    }

    @Nested
    class ForUnknownUser {

        @Test
        void goesThroughTheWholeExchangeAndRefuses() {
            AuthenticationFailure failure =
                    failure(exchange(new ScramServer("ghost", Optional.empty(), SECRETS, Optional.empty()), "pencil"));
            assertThat(failure.sqlState()).isEqualTo("28P01");
            assertThat(failure.message()).isEqualTo("password authentication failed for user \"ghost\"");
        }

        @Test
        void showsTheSameSaltEachTimeAndAnotherOneToAnotherUser() {
            assertThat(serverFirst("ghost")).isEqualTo(serverFirst("ghost")).isNotEqualTo(serverFirst("spook"));
            assertThat(serverFirst("ghost")).endsWith(",i=4096").hasSameSizeAs(text(plain.onResponse(firstMessage())));
        }

        private String serverFirst(String user) {
            return text(new ScramServer(user, Optional.empty(), SECRETS, Optional.empty()).onResponse(firstMessage()));
        }

        private byte[] firstMessage() {
            return initial("SCRAM-SHA-256", "n,,n=,r=abc");
        }
    }

    static ScramServer.Step exchange(ScramServer server, String password) {
        return run(
                server,
                client(password, server.offer().mechanisms().size() > 1 ? Optional.of(END_POINT) : Optional.empty()));
    }

    private static ScramClient client(String password, Optional<byte[]> endPoint) {
        return new ScramClient("user", new ScramClient.Credentials.Password(password), ScramSecrets.random(), endPoint);
    }

    private static ScramServer.Step run(ScramServer server, ScramClient client) {
        ScramServer.Step step = server.onResponse(bodyOf(client.onRequest(server.offer())));
        while (step instanceof ScramServer.Step.Continue next) {
            step = server.onResponse(bodyOf(client.onRequest(next.reply())));
        }
        return step;
    }

    static byte[] bodyOf(ScramClient.Step step) {
        byte[] message = ((ScramClient.Step.Send) step).message();
        ByteBuffer in = ByteBuffer.wrap(message);
        assertThat(in.get()).isEqualTo((byte) 'p');
        assertThat(in.getInt()).isEqualTo(message.length - 1);
        byte[] body = new byte[in.remaining()];
        in.get(body);
        return body;
    }

    static byte[] initial(String mechanism, String data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(bytes(mechanism + "\0"));
        out.writeBytes(ByteBuffer.allocate(4).putInt(data.length()).array());
        out.writeBytes(bytes(data));
        return out.toByteArray();
    }

    private static String proof(String password, String authMessage) {
        byte[] clientKey = ScramMath.clientKey(password, SALT, 4096);
        byte[] signature = ScramMath.signature(ScramMath.storedKey(clientKey), authMessage);
        return Base64.getEncoder().encodeToString(ScramMath.xor(clientKey, signature));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String text(ScramServer.Step step) {
        return switch (step) {
            case ScramServer.Step.Continue(var reply) -> reply.message();
            case ScramServer.Step.Accepted(var reply, var _) -> reply.message();
            case ScramServer.Step.Refused(var failure) -> throw new AssertionError(failure.toString());
        };
    }

    private static AuthenticationFailure failure(ScramServer.Step step) {
        assertThat(step).isInstanceOf(ScramServer.Step.Refused.class);
        return ((ScramServer.Step.Refused) step).failure();
    }
}
