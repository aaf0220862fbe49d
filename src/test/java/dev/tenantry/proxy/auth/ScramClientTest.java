package dev.tenantry.proxy.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.wire.AuthenticationRequest;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScramClientTest {

    private static final byte[] SALT = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    private static final ScramVerifier VERIFIER = ScramVerifier.of("pencil", 4096, SALT);
    private static final ScramSecrets SECRETS = ScramSecrets.random();

    private final ScramClient client = withKeys(VERIFIER, Optional.empty());

    @Test
    void signsInWithTheKeysThatClientLeft() {
        ScramKeys keys = keysLeftBy("pencil");
        for (Optional<byte[]> endPoint : List.of(Optional.<byte[]>empty(), Optional.of(new byte[] {5}))) {
            ScramServer node = new ScramServer("user", Optional.of(VERIFIER), SECRETS, endPoint);
            ScramClient proxy = new ScramClient("user", new ScramClient.Credentials.Keys(keys), SECRETS, endPoint);
            ScramServer.Step first = node.onResponse(ScramServerTest.bodyOf(proxy.onRequest(node.offer())));
            ScramServer.Step last = node.onResponse(
                    ScramServerTest.bodyOf(proxy.onRequest(((ScramServer.Step.Continue) first).reply())));
            ScramServer.Step.Accepted accepted = (ScramServer.Step.Accepted) last;
            assertThat(proxy.onRequest(accepted.reply())).isEqualTo(new ScramClient.Step.Wait());
            assertThat(proxy.onRequest(new AuthenticationRequest.Ok())).isEqualTo(new ScramClient.Step.SignedIn());
            assertThat(accepted.keys()).isEqualTo(keys);
        }
    }

    @Test
    void acceptsNodeThatAsksForNothing() {
        assertThat(client.onRequest(new AuthenticationRequest.Ok())).isEqualTo(new ScramClient.Step.SignedIn());
    }

    @Test
    void refusesNodeWhoseRoleHasAnotherVerifier() {
        for (ScramVerifier other :
                List.of(ScramVerifier.of("pencil", 4096, new byte[] {1}), ScramVerifier.of("pencil", 4097, SALT))) {
            ScramServer node = new ScramServer("user", Optional.of(other), SECRETS, Optional.empty());
            ScramClient proxy = withKeys(VERIFIER, Optional.empty());
            ScramServer.Step first = node.onResponse(ScramServerTest.bodyOf(proxy.onRequest(node.offer())));
            AuthenticationFailure failure = failure(proxy.onRequest(((ScramServer.Step.Continue) first).reply()));
            assertThat(failure.sqlState()).isEqualTo("28000");
            assertThat(failure.message())
                    .isEqualTo("role \"user\" has another password verifier on the node than on the coordinator");
            assertThat(failure.hint()).isPresent();
        }
    }

    @Test
    void refusesNodeThatDoesNotProveItself() {
        String serverFirst = startExchange();
        client.onRequest(new AuthenticationRequest.SaslContinue(serverFirst));
        AuthenticationFailure failure = failure(client.onRequest(
                new AuthenticationRequest.SaslFinal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
        assertThat(failure.message()).isEqualTo("node does not know the password verifier of role \"user\"");
    }

    @Test
    void refusesOkBeforeTheNodeHasProvedItself() {
        client.onRequest(new AuthenticationRequest.SaslContinue(startExchange()));
        assertThat(failure(client.onRequest(new AuthenticationRequest.Ok())).message())
                .startsWith("node ended the SCRAM exchange");
        assertThat(client.onRequest(new AuthenticationRequest.Ok())).isInstanceOf(ScramClient.Step.Failed.class);
    }

    @Test
    void refusesNonceThatIsNotItsOwn() {
        startExchange();
        assertThat(failure(client.onRequest(new AuthenticationRequest.SaslContinue("r=abc,s=AQID,i=4096")))
                        .detail())
                .contains("Nonce does not match.");
    }

    @Test
    void saysWhatToDoAboutOtherMethods() {
        for (AuthenticationRequest request : List.of(
                new AuthenticationRequest.Md5Password(),
                new AuthenticationRequest.CleartextPassword(),
                new AuthenticationRequest.Unsupported(7),
                new AuthenticationRequest.Sasl(List.of("OAUTHBEARER")))) {
            AuthenticationFailure failure =
                    failure(withKeys(VERIFIER, Optional.empty()).onRequest(request));
            assertThat(failure.message()).startsWith("node asks for ").endsWith("only SCRAM-SHA-256 is possible");
            assertThat(failure.hint()).isPresent();
        }
    }

    @Test
    void saysThatItCouldBindTheChannelWhenTheNodeDoesNotOfferIt() {
        ScramClient proxy = withKeys(VERIFIER, Optional.of(new byte[] {5}));
        byte[] body = ScramServerTest.bodyOf(proxy.onRequest(new AuthenticationRequest.Sasl(List.of("SCRAM-SHA-256"))));
        ScramServer node = new ScramServer("user", Optional.of(VERIFIER), SECRETS, Optional.of(new byte[] {5}));
        assertThat(((ScramServer.Step.Refused) node.onResponse(body)).failure().message())
                .isEqualTo("SCRAM channel binding negotiation error");
    }

    private String startExchange() {
        ScramServer node = new ScramServer("user", Optional.of(VERIFIER), SECRETS, Optional.empty());
        ScramServer.Step first = node.onResponse(ScramServerTest.bodyOf(client.onRequest(node.offer())));
        return ((ScramServer.Step.Continue) first).reply().message();
    }

    private static ScramKeys keysLeftBy(String password) {
        ScramServer server = new ScramServer("user", Optional.of(VERIFIER), SECRETS, Optional.empty());
        return ((ScramServer.Step.Accepted) ScramServerTest.exchange(server, password)).keys();
    }

    private static ScramClient withKeys(ScramVerifier verifier, Optional<byte[]> endPoint) {
        ScramKeys keys = new ScramKeys(verifier, ScramMath.clientKey("pencil", verifier.salt(), 4096));
        return new ScramClient("user", new ScramClient.Credentials.Keys(keys), SECRETS, endPoint);
    }

    private static AuthenticationFailure failure(ScramClient.Step step) {
        assertThat(step).isInstanceOf(ScramClient.Step.Failed.class);
        return ((ScramClient.Step.Failed) step).failure();
    }
}
