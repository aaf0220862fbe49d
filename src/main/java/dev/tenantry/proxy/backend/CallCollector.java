package dev.tenantry.proxy.backend;

import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.ErrorFields;
import dev.tenantry.wire.ResultShape;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Reads the answer to a call of the proxy's own, up to the last ReadyForQuery. Lives on the backend's event loop; the
 * future completes there.
 */
final class CallCollector implements FrameHandler {
    /** More than the answer to any statement of ours; a node that sends more is no PostgreSQL. */
    private static final int FRAME_LENGTH_MAX = 64 << 20;

    private final BackendConnection backend;
    private final CompletableFuture<CallResult> future = new CompletableFuture<>();
    private final List<List<@Nullable String>> rows = new ArrayList<>();
    private final List<String> tags = new ArrayList<>();
    private final List<byte[]> notices = new ArrayList<>();
    private byte @Nullable [] error;
    private @Nullable String sqlState;
    private ResultShape shape = ResultShape.NONE;
    private int readyExpected;

    CallCollector(BackendConnection backend, int readyExpected) {
        this.backend = backend;
        this.readyExpected = readyExpected;
    }

    CompletableFuture<CallResult> future() {
        return future;
    }

    @Override
    public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
        if (frameLength > FRAME_LENGTH_MAX || !BackendType.isAnswer(type) && !BackendType.isAsynchronous(type)) {
            backend.close();
            return Verdict.SKIP;
        }
        return Verdict.WHOLE;
    }

    @Override
    public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
        switch (type) {
            case BackendType.DATA_ROW -> rows.add(row(in, index + 5));
            case BackendType.ROW_DESCRIPTION -> shape = ResultShape.of(in, index, frameLength);
            case BackendType.NO_DATA -> shape = ResultShape.NONE;
            case BackendType.COMMAND_COMPLETE -> completed(Bytes.string(in, index + 5, index + frameLength - 1));
            case BackendType.NOTICE_RESPONSE -> notices.add(ByteBufUtil.getBytes(in, index, frameLength));
            case BackendType.PARAMETER_STATUS -> backend.noteParameter(in, index, frameLength);
            case BackendType.ERROR_RESPONSE -> {
                backend.prepared().undone();
                if (error == null) {
                    error = ByteBufUtil.getBytes(in, index, frameLength);
                    sqlState = ErrorFields.field(in, index, frameLength, 'C');
                }
            }
            case BackendType.READY_FOR_QUERY -> ready(in.getByte(index + 5));
            default -> {
                // completions of the extended protocol carry nothing we need
            }
        }
        return Verdict.SKIP;
    }

    @Override
    public void forward(ByteBuf run) {
        run.release();
        throw new IllegalStateException("nothing of a call is forwarded");
    }

    @Override
    public void malformed(byte type, int length) {
        backend.close();
    }

    void connectionLost() {
        future.completeExceptionally(new BackendLost(backend.node()));
    }

    private void completed(String tag) {
        tags.add(tag);
        backend.completed(tag);
    }

    private void ready(byte status) {
        backend.noteStatus(status);
        readyExpected--;
        if (readyExpected == 0) {
            backend.endCall();
            future.complete(new CallResult(rows, tags, notices, error, sqlState, shape, status));
        }
    }

    private static List<@Nullable String> row(ByteBuf in, int index) {
        int columns = in.getUnsignedShort(index);
        List<@Nullable String> row = new ArrayList<>(columns);
        int at = index + 2;
        for (int i = 0; i < columns; i++) {
            int length = in.getInt(at);
            at += 4;
            row.add(length < 0 ? null : in.toString(at, length, StandardCharsets.UTF_8));
            at += Math.max(length, 0);
        }
        return row;
    }
}
