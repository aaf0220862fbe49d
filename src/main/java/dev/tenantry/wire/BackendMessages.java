package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.Charset;

/** Writes the messages that a server sends; each method appends one whole message to the buffer. */
public final class BackendMessages {

    private BackendMessages() {}

    /** BackendKeyData. */
    public static void backendKeyData(ByteBuf out, int processId, byte[] secretKey) {
        out.writeByte(BackendType.BACKEND_KEY_DATA)
                .writeInt(8 + secretKey.length)
                .writeInt(processId)
                .writeBytes(secretKey);
    }

    /** ParameterStatus to a client with this encoding. */
    public static void parameterStatus(ByteBuf out, String name, String value, Charset encoding) {
        int start = begin(out, BackendType.PARAMETER_STATUS);
        Bytes.writeString(out, name);
        out.writeCharSequence(value, encoding);
        out.writeByte(0);
        finish(out, start);
    }

    /** ReadyForQuery with {@code I}, {@code T} or {@code E}. */
    public static void readyForQuery(ByteBuf out, byte status) {
        out.writeByte(BackendType.READY_FOR_QUERY).writeInt(5).writeByte(status);
    }

    /** CommandComplete. */
    public static void commandComplete(ByteBuf out, String tag) {
        int start = begin(out, BackendType.COMMAND_COMPLETE);
        Bytes.writeString(out, tag);
        finish(out, start);
    }

    /** A message without a body: ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse. */
    public static void bodiless(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(4);
    }

    /** ParameterDescription of a statement without parameters. */
    public static void noParameters(ByteBuf out) {
        out.writeByte(BackendType.PARAMETER_DESCRIPTION).writeInt(6).writeShort(0);
    }

    /** ErrorResponse or NoticeResponse, by severity. */
    public static void error(ByteBuf out, SqlError error) {
        boolean notice = error.severity() == SqlError.Severity.WARNING || error.severity() == SqlError.Severity.NOTICE;
        int start = begin(out, notice ? BackendType.NOTICE_RESPONSE : BackendType.ERROR_RESPONSE);
        field(out, 'S', error.severity().name());
        field(out, 'V', error.severity().name());
        field(out, 'C', error.sqlState());
        field(out, 'M', error.message());
        if (error.detail() != null) {
            field(out, 'D', error.detail());
        }
        if (error.hint() != null) {
            field(out, 'H', error.hint());
        }
        if (error.routine() != null) {
            field(out, 'R', error.routine());
        }
        out.writeByte(0);
        finish(out, start);
    }

    private static void field(ByteBuf out, char code, String text) {
        out.writeByte(code);
        Bytes.writeString(out, text);
    }

    private static int begin(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(0);
        return out.writerIndex() - 4;
    }

    private static void finish(ByteBuf out, int lengthIndex) {
        out.setInt(lengthIndex, out.writerIndex() - lengthIndex);
    }
}
