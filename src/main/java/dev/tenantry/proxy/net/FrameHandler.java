package dev.tenantry.proxy.net;

import io.netty.buffer.ByteBuf;

/** Decides, message by message, what becomes of a byte stream; called by a {@link FrameCutter} on its event loop. */
public interface FrameHandler {

    /** What becomes of a message. */
    enum Verdict {
        /** It goes on unchanged, its body as it comes. */
        FORWARD,
        /** It goes nowhere; its body is thrown away as it comes. */
        SKIP,
        /** Ask again, with {@link #frame}, when all of it is there. Only as an answer to {@link #header}. */
        WHOLE,
        /** Ask again when more of it is there. Only as an answer to {@link #header}. */
        MORE,
        /** Ask again after {@link FrameCutter#resume}; nothing behind it is looked at before. */
        WAIT
    }

    /**
     * A message begins.
     *
     * @param in the bytes; not to be kept or changed
     * @param index where its type byte is
     * @param frameLength type byte, length word and body
     * @param available how much of it is in the buffer
     */
    Verdict header(byte type, ByteBuf in, int index, int frameLength, int available);

    /** A message that was asked for whole is there. Not {@link Verdict#WHOLE} or {@link Verdict#MORE}. */
    Verdict frame(byte type, ByteBuf in, int index, int frameLength);

    /** Bytes of messages that go on, in order; the callee owns the buffer. */
    void forward(ByteBuf run);

    /** The length word is impossible; nothing more will be cut from this stream. */
    void malformed(byte type, int length);
}
