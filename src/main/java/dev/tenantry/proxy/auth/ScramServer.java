package dev.tenantry.proxy.auth;

import static dev.tenantry.proxy.auth.ScramAttributes.malformed;

import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.wire.AuthenticationRequest;
import dev.tenantry.wire.ProtocolViolation;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677; PostgreSQL manual, "SASL Authentication"). A
 * role that is unknown or has no verifier goes through the same exchange and is refused at its end, as if the password
 * were wrong. Not thread-safe; used once; does no input or output.
 *
 * <pre>
 * AWAIT_MECHANISM --SASLInitialResponse--> AWAIT_PROOF --SASLResponse--> ENDED
 *        |  (without data)                     ^
 *        +------> AWAIT_FIRST --SASLResponse---+
 * </pre>
 */
public final class ScramServer {

    /** The mechanism without channel binding. */
    public static final String SCRAM_SHA_256 = "SCRAM-SHA-256";

    /** The mechanism with channel binding. */
    public static final String SCRAM_SHA_256_PLUS = "SCRAM-SHA-256-PLUS";

    /** The only kind of channel binding spoken. */
    static final String TLS_SERVER_END_POINT = "tls-server-end-point";

    /** The longest message of an exchange that is read, in bytes. */
    public static final int MESSAGE_LENGTH_MAX = 1024;

    private final String user;
    private final boolean doomed;
    private final ScramVerifier verifier;
    private final ScramSecrets secrets;
    private final Optional<byte[]> serverEndPoint;

    private Phase phase = Phase.AWAIT_MECHANISM;
    private boolean bindsChannel;
    private char channelBindingFlag;
    private String clientFirstBare = "";
    private String serverFirst = "";
    private String nonce = "";

    private enum Phase {
        AWAIT_MECHANISM,
        AWAIT_FIRST,
        AWAIT_PROOF,
        ENDED
    }

    /**
     * An exchange with one client.
     *
     * @param user the role it wants to be
     * @param verifier what to check it against; empty if the role is unknown, has no SCRAM password or an expired one
     * @param serverEndPoint the hash of our certificate if the connection is encrypted and the hash defined
     */
    public ScramServer(
            String user, Optional<ScramVerifier> verifier, ScramSecrets secrets, Optional<byte[]> serverEndPoint) {
        this.user = user;
        this.doomed = verifier.isEmpty();
        this.verifier = verifier.orElseGet(() -> mockVerifier(user, secrets));
        this.secrets = secrets;
        this.serverEndPoint = serverEndPoint.map(byte[]::clone);
    }

    /** What the server says next. */
    public sealed interface Step {

        /** The exchange goes on. */
        record Continue(AuthenticationRequest.SaslContinue reply) implements Step {}

        /**
         * The client has proved itself.
         *
         * @param reply to send before {@link AuthenticationRequest.Ok}
         * @param keys what signs in to the nodes
         */
        record Accepted(AuthenticationRequest.SaslFinal reply, ScramKeys keys) implements Step {}

        /** The client is not let in; the connection ends with this. */
        record Refused(AuthenticationFailure failure) implements Step {}
    }

    /** The first message to the client: the mechanisms there are. */
    public AuthenticationRequest.Sasl offer() {
        return new AuthenticationRequest.Sasl(
                serverEndPoint.isPresent() ? List.of(SCRAM_SHA_256_PLUS, SCRAM_SHA_256) : List.of(SCRAM_SHA_256));
    }

    /**
     * Takes the next message of type {@code p}.
     *
     * @param body what follows its length word
     */
    public Step onResponse(byte[] body) {
        try {
            if (phase != Phase.AWAIT_MECHANISM) {
                return onData(new String(body, StandardCharsets.ISO_8859_1));
            }
            return onInitialResponse(body);
        } catch (ProtocolViolation violation) {
            phase = Phase.ENDED;
            return new Step.Refused(AuthenticationFailure.of(violation));
        }
    }

    private Step onInitialResponse(byte[] body) {
        ByteBuffer in = ByteBuffer.wrap(body);
        String mechanism = readMechanism(in);
        if (mechanism.equals(SCRAM_SHA_256_PLUS) && serverEndPoint.isPresent()) {
            bindsChannel = true;
        } else if (!mechanism.equals(SCRAM_SHA_256)) {
            throw ProtocolViolation.of("client selected an invalid SASL authentication mechanism");
        }
        if (in.remaining() < Integer.BYTES) {
            throw ProtocolViolation.of("insufficient data left in message");
        }
        int length = in.getInt();
        if (length == -1) {
            phase = Phase.AWAIT_FIRST;
            return new Step.Continue(new AuthenticationRequest.SaslContinue(""));
        }
        if (length < 0 || length > in.remaining()) {
            throw ProtocolViolation.of("insufficient data left in message");
        }
        if (length < in.remaining()) {
            throw ProtocolViolation.of("invalid message format");
        }
        phase = Phase.AWAIT_FIRST;
        return onData(new String(body, in.position(), length, StandardCharsets.ISO_8859_1));
    }

    private static String readMechanism(ByteBuffer in) {
        StringBuilder mechanism = new StringBuilder();
        while (in.hasRemaining()) {
            byte b = in.get();
            if (b == 0) {
                return mechanism.toString();
            }
            mechanism.append((char) (b & 0xFF));
        }
        throw ProtocolViolation.of("invalid string in message");
    }

    private Step onData(String message) {
        if (message.isEmpty()) {
            throw malformed("The message is empty.");
        }
        if (message.indexOf('\0') >= 0) {
            throw malformed("Message length does not match input length.");
        }
        return switch (phase) {
            case AWAIT_FIRST -> onClientFirst(message);
            case AWAIT_PROOF -> onClientFinal(message);
            case AWAIT_MECHANISM, ENDED -> throw ProtocolViolation.of("invalid SCRAM exchange state");
        };
    }

    private Step onClientFirst(String message) {
        ScramAttributes in = new ScramAttributes(message);
        readChannelBindingFlag(in);
        if (in.peek() == 'a') {
            throw ProtocolViolation.of("0A000", "client uses authorization identity, but it is not supported");
        }
        if (in.peek() != ',') {
            throw malformed(
                    "Unexpected attribute \"" + ScramAttributes.sanitized(in.peek()) + "\" in client-first-message.");
        }
        in.skip();
        clientFirstBare = in.rest();
        if (in.peek() == 'm') {
            throw ProtocolViolation.of("0A000", "client requires an unsupported SCRAM extension");
        }
        // The name is that of the start-up packet; what stands here is ignored, as PostgreSQL does.
        in.value('n');
        String clientNonce = in.value('r');
        if (!isPrintable(clientNonce)) {
            throw ProtocolViolation.of("non-printable characters in SCRAM nonce");
        }
        while (!in.atEnd()) {
            in.any();
        }
        nonce = clientNonce + secrets.nonce();
        serverFirst = "r=" + nonce + ",s=" + Base64.getEncoder().encodeToString(verifier.salt()) + ",i="
                + verifier.iterations();
        phase = Phase.AWAIT_PROOF;
        return new Step.Continue(new AuthenticationRequest.SaslContinue(serverFirst));
    }

    private void readChannelBindingFlag(ScramAttributes in) {
        channelBindingFlag = in.peek();
        switch (channelBindingFlag) {
            case 'n', 'y' -> {
                if (bindsChannel) {
                    throw malformed("The client selected " + SCRAM_SHA_256_PLUS
                            + ", but the SCRAM message does not include channel binding data.");
                }
                if (channelBindingFlag == 'y' && serverEndPoint.isPresent()) {
                    // The client could bind and believes we can't: somebody has taken our offer out on the way.
                    throw ProtocolViolation.of(
                                    AuthenticationFailure.INVALID_AUTHORIZATION,
                                    "SCRAM channel binding negotiation error")
                            .withDetail("The client supports SCRAM channel binding but thinks the server does not.  "
                                    + "However, this server does support channel binding.");
                }
                in.skip();
                in.comma();
            }
            case 'p' -> {
                if (!bindsChannel) {
                    throw malformed("The client selected " + SCRAM_SHA_256
                            + " without channel binding, but the SCRAM message includes channel binding data.");
                }
                String type = in.value('p');
                if (!type.equals(TLS_SERVER_END_POINT)) {
                    throw ProtocolViolation.of(
                            "unsupported SCRAM channel-binding type \"" + ScramAttributes.sanitized(type) + "\"");
                }
            }
            default ->
                throw malformed(
                        "Unexpected channel-binding flag \"" + ScramAttributes.sanitized(channelBindingFlag) + "\".");
        }
    }

    private Step onClientFinal(String message) {
        ScramAttributes in = new ScramAttributes(message);
        checkChannelBinding(in.value('c'));
        String finalNonce = in.value('r');
        int proofStart;
        ScramAttributes.Attribute attribute;
        do {
            proofStart = in.position() - 1;
            attribute = in.any();
        } while (attribute.name() != 'p');
        byte[] proof = ScramAttributes.decoded(attribute.value());
        if (proof.length != ScramVerifier.KEY_BYTES) {
            throw malformed("Malformed proof in client-final-message.");
        }
        if (!in.atEnd()) {
            throw malformed("Garbage found at the end of client-final-message.");
        }
        if (!finalNonce.equals(nonce)) {
            throw ProtocolViolation.of("invalid SCRAM response").withDetail("Nonce does not match.");
        }
        return checkProof(proof, clientFirstBare + "," + serverFirst + "," + message.substring(0, proofStart));
    }

    private void checkChannelBinding(String value) {
        if (bindsChannel) {
            byte[] expected = channelBindingData(serverEndPoint.orElseThrow());
            if (!value.equals(Base64.getEncoder().encodeToString(expected))) {
                throw ProtocolViolation.of(
                        AuthenticationFailure.INVALID_AUTHORIZATION, "SCRAM channel binding check failed");
            }
        } else if (!value.equals(channelBindingFlag == 'n' ? "biws" : "eSws")) {
            throw ProtocolViolation.of("unexpected SCRAM channel-binding attribute in client-final-message");
        }
    }

    private Step checkProof(byte[] proof, String authMessage) {
        phase = Phase.ENDED;
        byte[] storedKey = verifier.storedKey();
        byte[] clientKey = ScramMath.xor(proof, ScramMath.signature(storedKey, authMessage));
        boolean proved = MessageDigest.isEqual(ScramMath.storedKey(clientKey), storedKey);
        if (!proved || doomed) {
            return new Step.Refused(AuthenticationFailure.wrongPassword(user));
        }
        String signature = Base64.getEncoder().encodeToString(ScramMath.signature(verifier.serverKey(), authMessage));
        return new Step.Accepted(
                new AuthenticationRequest.SaslFinal("v=" + signature), new ScramKeys(verifier, clientKey));
    }

    /** What a client that binds the channel sends of it, decoded: the GS2 header and the certificate's hash. */
    static byte[] channelBindingData(byte[] endPoint) {
        byte[] header = ("p=" + TLS_SERVER_END_POINT + ",,").getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(header.length + endPoint.length)
                .put(header)
                .put(endPoint)
                .array();
    }

    private static boolean isPrintable(String text) {
        return text.chars().allMatch(c -> c >= 0x21 && c <= 0x7E && c != ',');
    }

    private static ScramVerifier mockVerifier(String user, ScramSecrets secrets) {
        // The keys stand for no password; the exchange is refused whatever the proof.
        Base64.Encoder encoder = Base64.getEncoder();
        String noKey = encoder.encodeToString(new byte[ScramVerifier.KEY_BYTES]);
        String salt = encoder.encodeToString(secrets.mockSalt(user));
        return ScramVerifier.parse(
                        SCRAM_SHA_256 + "$" + ScramSecrets.MOCK_ITERATIONS + ":" + salt + "$" + noKey + ":" + noKey)
                .orElseThrow();
    }
}
