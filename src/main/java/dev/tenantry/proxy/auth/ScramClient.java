package dev.tenantry.proxy.auth;

import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.wire.AuthenticationRequest;
import dev.tenantry.wire.ProtocolViolation;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/**
 * Signs in to a node: answers its authentication requests by SCRAM-SHA-256 with the keys that a client's own exchange
 * has left, or with a clear password. A node that asks for nothing (trust) is taken as it is; one that begins an
 * exchange must prove that it knows the verifier. Not thread-safe; used once; does no input or output.
 */
public final class ScramClient {

    private static final byte PASSWORD_MESSAGE = 'p';
    private static final int ITERATIONS_MAX = 10_000_000;

    private final String user;
    private final Credentials credentials;
    private final ScramSecrets secrets;
    private final Optional<byte[]> serverEndPoint;

    private Phase phase = Phase.START;
    private String gs2Header = "";
    private byte[] channelBinding = {};
    private String clientNonce = "";
    private String clientFirstBare = "";
    private byte[] serverSignature = {};

    private enum Phase {
        START,
        AWAIT_SERVER_FIRST,
        AWAIT_SERVER_FINAL,
        AWAIT_OK,
        ENDED
    }

    /** What the client proves itself with. */
    public sealed interface Credentials {

        /** The keys of a role whose verifier is the same on the node. */
        record Keys(ScramKeys keys) implements Credentials {}

        /** A clear password; to prepare it takes milliseconds. */
        record Password(String password) implements Credentials {

            /** Says nothing of the password. */
            @Override
            public String toString() {
                return "Password";
            }
        }
    }

    /** What to do about the node's request. */
    public sealed interface Step {

        /**
         * Send this.
         *
         * @param message a whole message, type byte and length word included
         */
        @SuppressWarnings("ArrayRecordComponent") // written once and forgotten
        record Send(byte[] message) implements Step {}

        /** Nothing; the node will send its next request. */
        record Wait() implements Step {}

        /** The node has let us in. */
        record SignedIn() implements Step {}

        /** We can't or won't sign in; close the connection. */
        record Failed(AuthenticationFailure failure) implements Step {}
    }

    /**
     * A login at one node.
     *
     * @param user the role to sign in as, for error messages
     * @param serverEndPoint the hash of the node's certificate, if the connection is encrypted and the hash defined
     */
    public ScramClient(String user, Credentials credentials, ScramSecrets secrets, Optional<byte[]> serverEndPoint) {
        this.user = user;
        this.credentials = credentials;
        this.secrets = secrets;
        this.serverEndPoint = serverEndPoint.map(byte[]::clone);
    }

    /** Takes the node's next message of type {@code R}. */
    public Step onRequest(AuthenticationRequest request) {
        Step step;
        try {
            step = switch (request) {
                case AuthenticationRequest.Ok _ -> onOk();
                case AuthenticationRequest.Sasl sasl -> onSasl(sasl);
                case AuthenticationRequest.SaslContinue next -> onServerFirst(bytesAsText(next.message()));
                case AuthenticationRequest.SaslFinal last -> onServerFinal(last.message());
                case AuthenticationRequest.CleartextPassword _ -> otherMethod("a clear-text password");
                case AuthenticationRequest.Md5Password _ -> otherMethod("an MD5 password");
                case AuthenticationRequest.Unsupported other ->
                    otherMethod("authentication method " + other.methodName());
            };
        } catch (ProtocolViolation violation) {
            step = new Step.Failed(AuthenticationFailure.of(violation));
        }
        if (step instanceof Step.Failed) {
            phase = Phase.ENDED;
        }
        return step;
    }

    private Step onOk() {
        if (phase != Phase.START && phase != Phase.AWAIT_OK) {
            return failed(
                    "node ended the SCRAM exchange for role \"" + user + "\" before it had proved its identity", "");
        }
        phase = Phase.ENDED;
        return new Step.SignedIn();
    }

    private Step onSasl(AuthenticationRequest.Sasl sasl) {
        expect(Phase.START);
        String mechanism = ScramServer.SCRAM_SHA_256;
        if (serverEndPoint.isPresent() && sasl.mechanisms().contains(ScramServer.SCRAM_SHA_256_PLUS)) {
            mechanism = ScramServer.SCRAM_SHA_256_PLUS;
            gs2Header = "p=" + ScramServer.TLS_SERVER_END_POINT + ",,";
            channelBinding = ScramServer.channelBindingData(serverEndPoint.get());
        } else if (sasl.mechanisms().contains(mechanism)) {
            // "y" says that we could bind the channel, so that the node sees if its offer was taken out on the way.
            gs2Header = serverEndPoint.isPresent() ? "y,," : "n,,";
            channelBinding = gs2Header.getBytes(StandardCharsets.US_ASCII);
        } else {
            return otherMethod("one of the SASL mechanisms " + sasl.mechanisms());
        }
        clientNonce = secrets.nonce();
        // PostgreSQL takes the name from the start-up packet and wants none here.
        clientFirstBare = "n=,r=" + clientNonce;
        phase = Phase.AWAIT_SERVER_FIRST;
        return new Step.Send(initialResponse(mechanism, gs2Header + clientFirstBare));
    }

    private Step onServerFirst(String serverFirst) {
        expect(Phase.AWAIT_SERVER_FIRST);
        ScramAttributes in = new ScramAttributes(serverFirst);
        if (in.peek() == 'm') {
            throw ProtocolViolation.of("0A000", "node requires an unsupported SCRAM extension");
        }
        String nonce = in.value('r');
        byte[] salt = ScramAttributes.decoded(in.value('s'));
        int iterations = iterations(in.value('i'));
        if (!nonce.startsWith(clientNonce) || nonce.length() == clientNonce.length()) {
            throw ProtocolViolation.of("invalid SCRAM response").withDetail("Nonce does not match.");
        }
        if (salt.length == 0) {
            throw ScramAttributes.malformed("Malformed salt in server-first-message.");
        }
        byte[] clientKey;
        byte[] serverKey;
        switch (credentials) {
            case Credentials.Keys(ScramKeys keys) -> {
                ScramVerifier verifier = keys.verifier();
                if (iterations != verifier.iterations() || !Arrays.equals(salt, verifier.salt())) {
                    return otherVerifier();
                }
                clientKey = keys.clientKey();
                serverKey = verifier.serverKey();
            }
            case Credentials.Password(String password) -> {
                clientKey = ScramMath.clientKey(password, salt, iterations);
                serverKey = ScramVerifier.of(password, iterations, salt).serverKey();
            }
        }
        Base64.Encoder encoder = Base64.getEncoder();
        String withoutProof = "c=" + encoder.encodeToString(channelBinding) + ",r=" + nonce;
        String authMessage = clientFirstBare + "," + serverFirst + "," + withoutProof;
        byte[] proof = ScramMath.xor(clientKey, ScramMath.signature(ScramMath.storedKey(clientKey), authMessage));
        serverSignature = ScramMath.signature(serverKey, authMessage);
        phase = Phase.AWAIT_SERVER_FINAL;
        return new Step.Send(response(withoutProof + ",p=" + encoder.encodeToString(proof)));
    }

    private static int iterations(String value) {
        try {
            int iterations = Integer.parseInt(value);
            if (iterations >= 1 && iterations <= ITERATIONS_MAX) {
                return iterations;
            }
        } catch (NumberFormatException notANumber) {
            // Told below like a number out of range.
        }
        throw ScramAttributes.malformed("Malformed iteration count in server-first-message.");
    }

    private Step onServerFinal(String serverFinal) {
        expect(Phase.AWAIT_SERVER_FINAL);
        ScramAttributes in = new ScramAttributes(serverFinal);
        if (in.peek() == 'e') {
            return failed(
                    "node refused the SCRAM exchange for role \"" + user + "\": "
                            + ScramAttributes.sanitized(in.value('e')),
                    "");
        }
        if (!MessageDigest.isEqual(ScramAttributes.decoded(in.value('v')), serverSignature)) {
            return failed("node does not know the password verifier of role \"" + user + "\"", "");
        }
        phase = Phase.AWAIT_OK;
        return new Step.Wait();
    }

    private void expect(Phase expected) {
        if (phase != expected) {
            throw ProtocolViolation.of("unexpected authentication request from node");
        }
    }

    private Step otherVerifier() {
        return new Step.Failed(new AuthenticationFailure(
                AuthenticationFailure.INVALID_AUTHORIZATION,
                "role \"" + user + "\" has another password verifier on the node than on the coordinator",
                Optional.of("The node sent another salt or iteration count; the role may also be missing there, or "
                        + "have no password."),
                Optional.of("Set the password again through the proxy, by ALTER ROLE ... PASSWORD, so that every node "
                        + "keeps the same verifier.")));
    }

    private Step otherMethod(String wanted) {
        return failed(
                "node asks for " + wanted + " for role \"" + user + "\", but only SCRAM-SHA-256 is possible",
                "Let the node's pg_hba.conf say scram-sha-256 for connections from the proxy, and set the role's "
                        + "password through the proxy with password_encryption = 'scram-sha-256'.");
    }

    private static Step failed(String message, String hint) {
        return new Step.Failed(new AuthenticationFailure(
                AuthenticationFailure.INVALID_AUTHORIZATION,
                message,
                Optional.empty(),
                hint.isEmpty() ? Optional.empty() : Optional.of(hint)));
    }

    /** A character for each byte of the message, as everything signed is treated. */
    private static String bytesAsText(String message) {
        return new String(message.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private static byte[] initialResponse(String mechanism, String clientFirst) {
        byte[] first = clientFirst.getBytes(StandardCharsets.US_ASCII);
        byte[] name = mechanism.getBytes(StandardCharsets.US_ASCII);
        return message(Integer.BYTES + name.length + 1 + Integer.BYTES + first.length, out -> {
            out.write(name);
            out.writeByte(0);
            out.writeInt(first.length);
            out.write(first);
        });
    }

    private static byte[] response(String clientFinal) {
        byte[] last = clientFinal.getBytes(StandardCharsets.US_ASCII);
        return message(Integer.BYTES + last.length, out -> out.write(last));
    }

    private static byte[] message(int length, Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(length + 1);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(PASSWORD_MESSAGE);
            out.writeInt(length);
            body.write(out);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    private interface Body {
        void write(DataOutputStream out) throws IOException;
    }
}
