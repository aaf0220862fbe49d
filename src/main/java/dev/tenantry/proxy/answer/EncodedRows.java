package dev.tenantry.proxy.answer;

import io.netty.buffer.ByteBuf;

/** Rows as DataRow messages, ready to be sent, some at a time. Immutable. */
public final class EncodedRows {
    /** No rows. */
    public static final EncodedRows NONE = new EncodedRows(new byte[0], new int[] {0});

    private final byte[] messages;
    private final int[] starts;

    /** Takes both as they are: where each message starts, and where the last one ends. */
    EncodedRows(byte[] messages, int[] starts) {
        this.messages = messages;
        this.starts = starts;
    }

    /** How many there are. */
    public int size() {
        return starts.length - 1;
    }

    /** Writes those from {@code from} to {@code to}, exclusive. */
    public void write(ByteBuf out, int from, int to) {
        out.writeBytes(messages, starts[from], starts[to] - starts[from]);
    }
}
