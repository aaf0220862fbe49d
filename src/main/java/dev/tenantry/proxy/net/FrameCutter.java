package dev.tenantry.proxy.net;

import dev.tenantry.proxy.net.FrameHandler.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a byte stream into messages in place and lets runs of forwarded messages go on as one slice of the buffer they
 * came in. Bodies that nobody reads pass piece by piece, so a message of 1 GB needs no more memory than a small one.
 *
 * <p>Not thread-safe; lives on its connection's event loop. Owns what it was fed until it hands it to the handler.
 */
public final class FrameCutter {
    /** Largest length word PostgreSQL accepts (MaxAllocSize, src/include/utils/memutils.h: 1 GB - 1). */
    public static final int LENGTH_MAX = 0x3fffffff;

    private static final int HEADER = 5;
    private static final int WAITING_MAX = 16 * 1024;

    private final FrameHandler handler;
    private final ByteBufAllocator allocator;

    private @Nullable ByteBuf pending;
    private @Nullable ByteBuf current;
    private int runStart;
    private int cursor;
    private int bodyLeft;
    private boolean bodyForwarded;
    private boolean waiting;
    private boolean dead;

    /** A cutter at the start of a stream. */
    public FrameCutter(FrameHandler handler, ByteBufAllocator allocator) {
        this.handler = handler;
        this.allocator = allocator;
    }

    /** Takes the next bytes of the stream; owns the buffer from here. */
    public void feed(ByteBuf in) {
        if (dead) {
            in.release();
        } else if (pending != null || current != null) {
            pending = pending == null ? in : merged(pending, in);
        } else {
            process(in);
        }
        if (!waiting && current == null) {
            processPending();
        }
    }

    /** Looks again at the message that was told to wait, and at what came after it. */
    public void resume() {
        if (waiting && current == null) {
            waiting = false;
            processPending();
        }
    }

    /** Whether a message has been told to wait. */
    public boolean isWaiting() {
        return waiting;
    }

    /**
     * Whether a message has been told to wait, with so much behind it that no more should be read. A little may be:
     * most clients say nothing while they wait, and to stop reading takes system calls.
     */
    public boolean isBackedUp() {
        return waiting && pending != null && pending.readableBytes() > WAITING_MAX;
    }

    /** Whether the stream is inside a message of which the first part has been dealt with. */
    public boolean isInsideBody() {
        return bodyLeft > 0;
    }

    /** Hands over what was decided to go on so far, so that the caller can write something of its own behind it. */
    public void flushRun() {
        if (current != null && cursor > runStart) {
            handler.forward(current.retainedSlice(runStart, cursor - runStart));
            runStart = cursor;
        }
    }

    /** Lets go of everything; later input is thrown away. */
    public void close() {
        dead = true;
        if (pending != null) {
            pending.release();
            pending = null;
        }
    }

    private void processPending() {
        while (pending != null && !waiting && !dead) {
            ByteBuf in = pending;
            pending = null;
            int before = in.readableBytes();
            process(in);
            if (pending != null && pending.readableBytes() == before) {
                return; // an incomplete message: wait for more bytes
            }
        }
    }

    private void process(ByteBuf in) {
        current = in;
        runStart = in.readerIndex();
        cursor = runStart;
        int end = in.writerIndex();
        try {
            while (cursor < end && !dead && step(in, end)) {
                // step moves the cursor
            }
        } catch (RuntimeException failed) {
            dead = true; // where the stream stands is not known any more
            throw failed;
        } finally {
            finish(in, end);
        }
    }

    /** Deals with one message, or a part of its body; false when no more can be done now. */
    private boolean step(ByteBuf in, int end) {
        if (bodyLeft > 0) {
            take(Math.min(bodyLeft, end - cursor));
            return true;
        }
        if (end - cursor < HEADER) {
            return false;
        }
        byte type = in.getByte(cursor);
        int length = in.getInt(cursor + 1);
        if (length < 4 || length > LENGTH_MAX) {
            flushRun();
            dead = true;
            handler.malformed(type, length);
            return false;
        }
        int frameLength = length + 1;
        int available = Math.min(frameLength, end - cursor);
        Verdict verdict = handler.header(type, in, cursor, frameLength, available);
        if (verdict == Verdict.WHOLE) {
            verdict = available < frameLength ? Verdict.MORE : handler.frame(type, in, cursor, frameLength);
        }
        return apply(verdict, frameLength, available);
    }

    private boolean apply(Verdict verdict, int frameLength, int available) {
        return switch (verdict) {
            case FORWARD, SKIP -> {
                bodyForwarded = verdict == Verdict.FORWARD;
                if (!bodyForwarded) {
                    flushRun();
                }
                bodyLeft = frameLength;
                take(available);
                yield true;
            }
            case WAIT -> {
                waiting = true;
                yield false;
            }
            case MORE -> false;
            case WHOLE -> throw new IllegalStateException("asked for a whole message twice");
        };
    }

    private void take(int count) {
        cursor += count;
        bodyLeft -= count;
        if (!bodyForwarded) {
            runStart = cursor;
        }
    }

    private void finish(ByteBuf in, int end) {
        int rest = end - cursor;
        if (rest == 0 && cursor > runStart && runStart == in.readerIndex() && !dead) {
            current = null;
            handler.forward(in); // all of it: no slice needed
            return;
        }
        flushRun();
        current = null;
        if (rest > 0 && !dead) {
            in.readerIndex(cursor);
            pending = pending == null ? in : merged(in, pending);
        } else {
            in.release();
        }
    }

    private ByteBuf merged(ByteBuf first, ByteBuf second) {
        ByteBuf target = first;
        int needed = first.readableBytes() + second.readableBytes();
        if (first.refCnt() > 1
                || first.isReadOnly()
                || first.maxWritableBytes() < second.readableBytes()
                || first.writableBytes() < second.readableBytes()) {
            target = allocator.buffer(Math.max(needed, needed + (needed >> 1)));
            target.writeBytes(first);
            first.release();
        }
        target.writeBytes(second);
        second.release();
        return target;
    }
}
