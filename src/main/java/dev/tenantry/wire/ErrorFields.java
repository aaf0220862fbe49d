package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;

/** Reads fields of an ErrorResponse or NoticeResponse without decoding the others. */
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
}
