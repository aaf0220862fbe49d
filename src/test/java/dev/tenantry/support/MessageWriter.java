package dev.tenantry.support;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Puts the body of a message together. */
public final class MessageWriter {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Appends a string and its zero byte. */
    public MessageWriter string(String text) {
        out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
        out.write(0);
        return this;
    }

    /** Appends one byte. */
    public MessageWriter int8(int value) {
        out.write(value);
        return this;
    }

    /** Appends two bytes. */
    public MessageWriter int16(int value) {
        out.writeBytes(ByteBuffer.allocate(Short.BYTES).putShort((short) value).array());
        return this;
    }

    /** Appends four bytes. */
    public MessageWriter int32(int value) {
        out.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
        return this;
    }

    /** Appends bytes as they are. */
    public MessageWriter bytes(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    /** The body. */
    public byte[] toBytes() {
        return out.toByteArray();
    }

    /** The body behind its type byte and length word. */
    public byte[] toMessage(char type) {
        byte[] body = toBytes();
        return ByteBuffer.allocate(body.length + 5)
                .put((byte) type)
                .putInt(body.length + 4)
                .put(body)
                .array();
    }

    /** The body behind a length word alone, as start-up packets are. */
    public byte[] toStartupPacket() {
        byte[] body = toBytes();
        return ByteBuffer.allocate(body.length + 4)
                .putInt(body.length + 4)
                .put(body)
                .array();
    }
}
