package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/** Reads and adds to fields of an ErrorResponse or NoticeResponse without decoding the others. */
public final class ErrorFields {

    private ErrorFields() {}

    /**
     * One field of a whole message.
     *
     * @param index where the message's type byte is
     * @param frameLength type byte, length word and body
     * @return the text, or an empty one when the field is not there
     */
    public static String field(ByteBuf in, int index, int frameLength, char code) {
        int at = index + 5;
        int end = index + frameLength;
        while (at < end && in.getByte(at) != 0) {
            int zero = Bytes.endOfString(in, at + 1, end);
            if (zero < 0) {
                return "";
            }
            if (in.getByte(at) == code) {
                return Bytes.string(in, at + 1, zero);
            }
            at = zero + 1;
        }
        return "";
    }

    /**
     * The same message with a line more in one of its fields, which it gets if it has not got it. Whatever the encoding
     * of the others is, they stay as they are.
     *
     * @param message whole, with type byte and length word
     * @param line in ASCII, which is the same in every encoding that clients may have
     */
    public static byte[] withLine(byte[] message, char code, String line) {
        ByteBuf in = Unpooled.wrappedBuffer(message);
        ByteBuf out = Unpooled.buffer(message.length + line.length() + 3);
        out.writeBytes(in, 0, 5);
        boolean added = false;
        int at = 5;
        while (at < message.length && message[at] != 0) {
            int zero = Bytes.endOfString(in, at + 1, message.length);
            if (zero < 0) {
                return message.clone();
            }
            out.writeBytes(in, at, zero - at);
            if (message[at] == code) {
                out.writeByte('\n');
                out.writeCharSequence(line, StandardCharsets.US_ASCII);
                added = true;
            }
            out.writeByte(0);
            at = zero + 1;
        }
        if (!added) {
            out.writeByte(code);
            out.writeCharSequence(line, StandardCharsets.US_ASCII);
            out.writeByte(0);
        }
        out.writeByte(0);
        out.setInt(1, out.writerIndex() - 1);
        return ByteBufUtil.getBytes(out);
    }
}
