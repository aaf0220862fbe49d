package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/** Writes the messages that a client sends; each method appends one whole message to the buffer. */
public final class FrontendMessages {
    private static final int PROTOCOL_3_0 = 3 << 16;
    private static final int CANCEL_REQUEST = 80877102;
    private static final int SSL_REQUEST = 80877103;

    private FrontendMessages() {}

    /** StartupMessage of protocol 3.0. */
    public static void startup(ByteBuf out, Map<String, String> parameters) {
        int start = out.writerIndex();
        out.writeInt(0).writeInt(PROTOCOL_3_0);
        parameters.forEach((name, value) -> {
            Bytes.writeString(out, name);
            Bytes.writeString(out, value);
        });
        out.writeByte(0);
        finish(out, start);
    }

    /** SSLRequest. */
    public static void sslRequest(ByteBuf out) {
        out.writeInt(8).writeInt(SSL_REQUEST);
    }

    /** CancelRequest. */
    public static void cancelRequest(ByteBuf out, int processId, byte[] secretKey) {
        out.writeInt(12 + secretKey.length)
                .writeInt(CANCEL_REQUEST)
                .writeInt(processId)
                .writeBytes(secretKey);
    }

    /** Query with text in the backend's client_encoding, one character a byte. */
    public static void query(ByteBuf out, String text) {
        int start = begin(out, FrontendType.QUERY);
        Bytes.writeRaw(out, text);
        finish(out, start);
    }

    /** Query with text in the backend's client_encoding. */
    public static void query(ByteBuf out, byte[] text, int offset, int length) {
        out.writeByte(FrontendType.QUERY)
                .writeInt(5 + length)
                .writeBytes(text, offset, length)
                .writeByte(0);
    }

    /** Parse without parameter types. */
    public static void parse(ByteBuf out, String name, byte[] text, int offset, int length) {
        int start = begin(out, FrontendType.PARSE);
        Bytes.writeRaw(out, name);
        out.writeBytes(text, offset, length).writeByte(0).writeShort(0);
        finish(out, start);
    }

    /** Describe of a prepared statement. */
    public static void describeStatement(ByteBuf out, String name) {
        int start = begin(out, FrontendType.DESCRIBE);
        out.writeByte('S');
        Bytes.writeRaw(out, name);
        finish(out, start);
    }

    /** Close of the unnamed statement. */
    public static void closeUnnamed(ByteBuf out) {
        int start = begin(out, FrontendType.CLOSE);
        out.writeByte('S').writeByte(0);
        finish(out, start);
    }

    /** Close of the unnamed portal. */
    public static void closeUnnamedPortal(ByteBuf out) {
        int start = begin(out, FrontendType.CLOSE);
        out.writeByte('P').writeByte(0);
        finish(out, start);
    }

    /** Bind to the unnamed portal with text parameters in the backend's client_encoding and text results. */
    public static void bind(ByteBuf out, String statement, byte[]... parameters) {
        int start = begin(out, FrontendType.BIND);
        out.writeByte(0);
        Bytes.writeRaw(out, statement);
        out.writeShort(0).writeShort(parameters.length);
        for (byte[] parameter : parameters) {
            out.writeInt(parameter.length).writeBytes(parameter);
        }
        out.writeShort(0);
        finish(out, start);
    }

    /** Execute of the unnamed portal, all rows. */
    public static void execute(ByteBuf out) {
        out.writeByte(FrontendType.EXECUTE).writeInt(9).writeByte(0).writeInt(0);
    }

    /** FunctionCall with text arguments in the backend's client_encoding and a text result. */
    public static void functionCall(ByteBuf out, int function, byte[]... arguments) {
        int start = begin(out, FrontendType.FUNCTION_CALL);
        out.writeInt(function).writeShort(0).writeShort(arguments.length);
        for (byte[] argument : arguments) {
            out.writeInt(argument.length).writeBytes(argument);
        }
        out.writeShort(0);
        finish(out, start);
    }

    /** Bind of a named portal without parameters. */
    public static void bindPortal(ByteBuf out, String portal, String statement) {
        int start = begin(out, FrontendType.BIND);
        Bytes.writeRaw(out, portal);
        Bytes.writeRaw(out, statement);
        out.writeShort(0).writeShort(0).writeShort(0);
        finish(out, start);
    }

    /** Execute of a named portal, all rows. */
    public static void executePortal(ByteBuf out, String portal) {
        int start = begin(out, FrontendType.EXECUTE);
        Bytes.writeRaw(out, portal);
        out.writeInt(0);
        finish(out, start);
    }

    /** A message without a body: Sync, Flush, Terminate. */
    public static void bodiless(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(4);
    }

    private static int begin(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(0);
        return out.writerIndex() - 4;
    }

    private static void finish(ByteBuf out, int lengthIndex) {
        out.setInt(lengthIndex, out.writerIndex() - lengthIndex);
    }
}
