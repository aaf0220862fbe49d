package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The message {@code R}: what a server wants from its client before there is a session, or that it has enough. */
public sealed interface AuthenticationRequest {

    /** The message's type byte. */
    byte TYPE = 'R';

    /** The client is in. */
    record Ok() implements AuthenticationRequest {}

    /** The server wants the password itself. */
    record CleartextPassword() implements AuthenticationRequest {}

    /** The server wants an MD5 hash of the password. */
    record Md5Password() implements AuthenticationRequest {}

    /**
     * The server wants a SASL exchange.
     *
     * @param mechanisms those it offers, the preferred first
     */
    record Sasl(List<String> mechanisms) implements AuthenticationRequest {
        public Sasl {
            mechanisms = List.copyOf(mechanisms);
        }
    }

    /**
     * The exchange goes on.
     *
     * @param message the mechanism's own message
     */
    record SaslContinue(String message) implements AuthenticationRequest {}

    /**
     * The exchange is over for the server.
     *
     * @param message the mechanism's last message, by which the server proves itself
     */
    record SaslFinal(String message) implements AuthenticationRequest {}

    /**
     * A way of authentication that nothing here speaks.
     *
     * @param code its number in the protocol
     */
    record Unsupported(int code) implements AuthenticationRequest {

        /** What people call it. */
        public String methodName() {
            return switch (code) {
                case 2 -> "Kerberos V5";
                case 7, 8 -> "GSSAPI";
                case 9 -> "SSPI";
                default -> "number " + code;
            };
        }
    }

    /**
     * Reads the message's body, all that follows the length word. Consumes it; the buffer stays the caller's.
     *
     * @throws ProtocolViolation if it is malformed
     */
    static AuthenticationRequest parse(ByteBuf body) {
        if (body.readableBytes() < Integer.BYTES) {
            throw ProtocolViolation.of("invalid authentication request message");
        }
        int code = body.readInt();
        AuthenticationRequest request = switch (code) {
            case 0 -> new Ok();
            case 3 -> new CleartextPassword();
            case 5 -> new Md5Password();
            case 10 -> new Sasl(readMechanisms(body));
            case 11 -> new SaslContinue(readRest(body));
            case 12 -> new SaslFinal(readRest(body));
            default -> new Unsupported(code);
        };
        body.skipBytes(body.readableBytes());
        return request;
    }

    /** Appends the whole message, type byte and length word included; the buffer stays the caller's. */
    default void encode(ByteBuf out) {
        out.writeByte(TYPE);
        int lengthIndex = out.writerIndex();
        out.writeInt(0);
        switch (this) {
            case Ok _ -> out.writeInt(0);
            case CleartextPassword _ -> out.writeInt(3);
            case Sasl sasl -> {
                out.writeInt(10);
                for (String mechanism : sasl.mechanisms()) {
                    out.writeCharSequence(mechanism, StandardCharsets.US_ASCII);
                    out.writeByte(0);
                }
                out.writeByte(0);
            }
            case SaslContinue step -> {
                out.writeInt(11);
                out.writeCharSequence(step.message(), StandardCharsets.UTF_8);
            }
            case SaslFinal step -> {
                out.writeInt(12);
                out.writeCharSequence(step.message(), StandardCharsets.UTF_8);
            }
            case Md5Password _, Unsupported _ ->
                throw new IllegalStateException("This authentication request is never made here.");
        }
        out.setInt(lengthIndex, out.writerIndex() - lengthIndex);
    }

    private static List<String> readMechanisms(ByteBuf body) {
        List<String> mechanisms = new ArrayList<>();
        while (true) {
            int length = body.bytesBefore((byte) 0);
            if (length < 0) {
                throw ProtocolViolation.of("invalid authentication request message");
            }
            String mechanism =
                    body.readCharSequence(length, StandardCharsets.UTF_8).toString();
            body.skipBytes(1);
            if (mechanism.isEmpty()) {
                return mechanisms;
            }
            mechanisms.add(mechanism);
        }
    }

    private static String readRest(ByteBuf body) {
        return new String(ByteBufUtil.getBytes(body), StandardCharsets.UTF_8);
    }
}
