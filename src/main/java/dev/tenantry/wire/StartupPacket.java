package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a client may send before there are message types: a length word and one of these. See "Message Formats" in the
 * PostgreSQL manual; limits and texts are those of the server.
 */
public sealed interface StartupPacket {

    /** The longest body (the bytes after the length word) that is read; the server's own limit. */
    int BODY_LENGTH_MAX = 10_000;

    /** The shortest body: a code alone. */
    int BODY_LENGTH_MIN = 4;

    /** The longest secret key of a cancel request, since protocol 3.2. */
    int SECRET_KEY_LENGTH_MAX = 256;

    /** The newest minor version of protocol 3 that is spoken here. */
    int PROTOCOL_MINOR_MAX = 2;

    /** The longest user or database name in bytes; longer ones are cut, as the server does. */
    int NAME_LENGTH_MAX = 63;

    /** The code in place of a version by which a client asks for TLS. */
    int SSL_REQUEST_CODE = 1234 << 16 | 5679;

    /** The code by which a client asks for GSSAPI encryption. */
    int GSS_ENC_REQUEST_CODE = 1234 << 16 | 5680;

    /** The code by which a client asks to cancel a query of another connection. */
    int CANCEL_REQUEST_CODE = 1234 << 16 | 5678;

    /** The client would like TLS; answered with one byte, {@code S} or {@code N}. */
    record SslRequest() implements StartupPacket {}

    /** The client would like GSSAPI encryption; answered with one byte. */
    record GssEncRequest() implements StartupPacket {}

    /**
     * The client asks to cancel what another connection runs; never answered.
     *
     * @param processId the number that connection was given
     * @param secretKey the key it was given with it, 1 to 256 bytes
     */
    @SuppressWarnings("ArrayRecordComponent") // compared below; a copy would only spread the key
    record CancelRequest(int processId, byte[] secretKey) implements StartupPacket {

        @Override
        public boolean equals(Object other) {
            return other instanceof CancelRequest that
                    && processId == that.processId
                    && Arrays.equals(secretKey, that.secretKey);
        }

        @Override
        public int hashCode() {
            return 31 * processId + Arrays.hashCode(secretKey);
        }

        /** Says nothing of the key, so that it can't get into a log. */
        @Override
        public String toString() {
            return "CancelRequest[processId=" + processId + "]";
        }
    }

    /**
     * The client wants a session.
     *
     * @param protocolMajor the protocol's major version, always 3
     * @param protocolMinor the minor version asked for, which may be newer than what is spoken here
     * @param parameters all parameters but protocol options, as sent and in their order; a name sent twice has its
     *     last value in its first place
     * @param protocolOptions the names that begin with {@code _pq_.}, in their order
     */
    record Startup(int protocolMajor, int protocolMinor, Map<String, String> parameters, List<String> protocolOptions)
            implements StartupPacket {

        public Startup {
            parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
            protocolOptions = List.copyOf(protocolOptions);
        }

        /**
         * The role to sign in as, cut to the length of a name.
         *
         * @throws ProtocolViolation 28000 if none was given
         */
        public String user() {
            String user = parameters.getOrDefault("user", "");
            if (user.isEmpty()) {
                throw ProtocolViolation.of("28000", "no PostgreSQL user name specified in startup packet");
            }
            return cutToName(user);
        }

        /** The database asked for, cut to the length of a name; that of the role's name if none was given. */
        public String database() {
            String database = parameters.getOrDefault("database", "");
            return database.isEmpty() ? user() : cutToName(database);
        }

        /**
         * The switches and settings of the parameter {@code options}.
         *
         * @throws ProtocolViolation 42601 if they can't be read
         */
        public StartupOptions options() {
            return StartupOptions.parse(parameters.getOrDefault("options", ""));
        }

        /**
         * What the client wants with the parameter {@code replication}.
         *
         * @throws ProtocolViolation 22023 if the value is none of those the server knows
         */
        public Replication replication() {
            return parameters.containsKey("replication")
                    ? Replication.of(parameters.getOrDefault("replication", ""))
                    : Replication.NONE;
        }

        /** The minor version the session speaks: what was asked for, or the newest spoken here if that is older. */
        public int spokenMinor() {
            return Math.min(protocolMinor, PROTOCOL_MINOR_MAX);
        }

        /** What the client must be told before authentication, if it asked for more than is spoken here. */
        public Optional<NegotiateProtocolVersion> negotiation() {
            if (protocolMinor <= PROTOCOL_MINOR_MAX && protocolOptions.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new NegotiateProtocolVersion(spokenMinor(), protocolOptions));
        }

        private static String cutToName(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            if (bytes.length <= NAME_LENGTH_MAX) {
                return text;
            }
            int end = NAME_LENGTH_MAX;
            while (end > 0 && (bytes[end] & 0xC0) == 0x80) {
                end--;
            }
            return new String(bytes, 0, end, StandardCharsets.UTF_8);
        }
    }

    /** What kind of walsender session, if any, a client asks for. */
    enum Replication {
        /** An ordinary session. */
        NONE,
        /** Physical replication: commands only. */
        PHYSICAL,
        /** Logical replication: commands and SQL in a database. */
        DATABASE;

        private static final List<String> TRUE_WORDS = List.of("true", "yes", "on");
        private static final List<String> FALSE_WORDS = List.of("false", "no", "off");

        /** Reads the value as the server does: {@code database}, or a boolean in any of its spellings. */
        static Replication of(String value) {
            if (value.equals("database")) {
                return DATABASE;
            }
            if (value.equals("1") || isPrefixOfOne(value, TRUE_WORDS)) {
                return PHYSICAL;
            }
            if (value.equals("0") || isPrefixOfOne(value, FALSE_WORDS)) {
                return NONE;
            }
            throw ProtocolViolation.of("22023", "invalid value for parameter \"replication\": \"" + value + "\"")
                    .withHint("Valid values are: \"false\", 0, \"true\", 1, \"database\".");
        }

        private static boolean isPrefixOfOne(String value, List<String> words) {
            // "o" alone could be on or off: PostgreSQL wants two letters of those.
            return !value.isEmpty()
                    && !value.equalsIgnoreCase("o")
                    && words.stream().anyMatch(word -> word.regionMatches(true, 0, value, 0, value.length()));
        }
    }

    /**
     * Checks the length word of a startup packet, which counts itself, before anything is kept for it.
     *
     * @return the length of the body
     * @throws ProtocolViolation if no startup packet has that length
     */
    static int bodyLength(int lengthWord) {
        long length = (long) lengthWord - Integer.BYTES;
        if (length < BODY_LENGTH_MIN || length > BODY_LENGTH_MAX) {
            throw ProtocolViolation.of("invalid length of startup packet");
        }
        return (int) length;
    }

    /**
     * Reads the body of a startup packet, all that follows the length word. The buffer's readable bytes are consumed;
     * it stays the caller's.
     *
     * @throws ProtocolViolation if it is malformed or speaks another major version
     */
    static StartupPacket parse(ByteBuf body) {
        int length = body.readableBytes();
        if (length < BODY_LENGTH_MIN || length > BODY_LENGTH_MAX) {
            throw ProtocolViolation.of("invalid length of startup packet");
        }
        int code = body.readInt();
        return switch (code) {
            case SSL_REQUEST_CODE -> bare(body, new SslRequest());
            case GSS_ENC_REQUEST_CODE -> bare(body, new GssEncRequest());
            case CANCEL_REQUEST_CODE -> parseCancel(body);
            default -> parseStartup(code >>> 16, code & 0xFFFF, body);
        };
    }

    /** The answer to a version that is not spoken, or to a request code where it is none any more. */
    static ProtocolViolation unsupportedProtocol(int code) {
        return ProtocolViolation.of(
                "0A000",
                "unsupported frontend protocol " + (code >>> 16) + "." + (code & 0xFFFF) + ": server supports 3.0 to 3."
                        + PROTOCOL_MINOR_MAX);
    }

    private static StartupPacket bare(ByteBuf body, StartupPacket packet) {
        // The server reads no further than the code; what else lies within the announced length is dropped with it.
        body.skipBytes(body.readableBytes());
        return packet;
    }

    private static StartupPacket parseCancel(ByteBuf body) {
        int keyLength = body.readableBytes() - Integer.BYTES;
        if (keyLength < 0) {
            throw ProtocolViolation.of("invalid length of cancel request packet");
        }
        if (keyLength == 0 || keyLength > SECRET_KEY_LENGTH_MAX) {
            throw ProtocolViolation.of("invalid length of cancel key in cancel request packet");
        }
        int processId = body.readInt();
        byte[] secretKey = new byte[keyLength];
        body.readBytes(secretKey);
        return new CancelRequest(processId, secretKey);
    }

    private static StartupPacket parseStartup(int major, int minor, ByteBuf body) {
        if (major != 3) {
            throw unsupportedProtocol(major << 16 | minor);
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        List<String> protocolOptions = new ArrayList<>();
        String name = readString(body);
        while (!name.isEmpty()) {
            String value = readString(body);
            if (name.startsWith("_pq_.")) {
                protocolOptions.add(name);
            } else {
                parameters.put(name, value);
            }
            name = readString(body);
        }
        if (body.isReadable()) {
            throw missingTerminator();
        }
        return new Startup(major, minor, parameters, protocolOptions);
    }

    private static ProtocolViolation missingTerminator() {
        return ProtocolViolation.of("invalid startup packet layout: expected terminator as last byte");
    }

    /** The next string without its zero byte. */
    private static String readString(ByteBuf body) {
        int length = body.bytesBefore((byte) 0);
        if (length < 0) {
            throw missingTerminator();
        }
        byte[] bytes = ByteBufUtil.getBytes(body, body.readerIndex(), length);
        body.skipBytes(length + 1);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException notUtf8) {
            throw ProtocolViolation.of("22021", "invalid byte sequence for encoding \"UTF8\" in startup packet");
        }
    }
}
