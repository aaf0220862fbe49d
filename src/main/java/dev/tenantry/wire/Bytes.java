package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** The protocol's strings: bytes that end with a zero. */
public final class Bytes {

    private Bytes() {}

    /** Where the zero is that ends the string that starts at {@code index}; -1 when it is not before {@code limit}. */
    public static int endOfString(ByteBuf in, int index, int limit) {
        return index >= limit ? -1 : in.indexOf(index, limit, (byte) 0);
    }

    /** The string from {@code index} to the zero at {@code end}, read as UTF-8. */
    public static String string(ByteBuf in, int index, int end) {
        return in.toString(index, end - index, StandardCharsets.UTF_8);
    }

    /** The string from {@code index} to the zero at {@code end}, one character a byte, whatever its encoding. */
    public static String raw(ByteBuf in, int index, int end) {
        return in.toString(index, end - index, StandardCharsets.ISO_8859_1);
    }

    /** Writes a string of one character a byte, with its zero. */
    public static void writeRaw(ByteBuf out, String text) {
        out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
        out.writeByte(0);
    }

    /** Writes the string as UTF-8 with its zero. */
    public static void writeString(ByteBuf out, String text) {
        out.writeCharSequence(text, StandardCharsets.UTF_8);
        out.writeByte(0);
    }
}
