package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.wire.BackendType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A connection that no session holds. A node may tell it of settings that its configuration has changed, or end it;
 * with anything else it is out of step and is closed. Lives on the connection's event loop.
 */
final class IdleBackend implements BackendListener, FrameHandler {
    private final BackendConnection backend;
    private final PoolKey key;
    private final Consumer<IdleBackend> ended;
    private final CompletableFuture<Void> discarded = new CompletableFuture<>();
    private @Nullable List<byte[]> notifications;
    private boolean promised;
    private long sinceNanos;

    /** Takes the connection over; {@code ended} is told when the node has ended it. */
    IdleBackend(BackendConnection backend, PoolKey key, Consumer<IdleBackend> ended) {
        this.backend = backend;
        this.key = key;
        this.ended = ended;
        backend.attach(this);
    }

    /** Takes over one that its session may get back: notifications meanwhile, which are for it, are kept. */
    static IdleBackend returnable(BackendConnection backend, PoolKey key) {
        IdleBackend one = new IdleBackend(backend, key, closed -> {});
        one.notifications = new ArrayList<>(); // nobody else listens there, and the node answers in a moment
        return one;
    }

    /** The session has it back, and is told what it has missed. */
    void returned() {
        if (notifications != null) {
            notifications.forEach(backend::notified);
        }
    }

    BackendConnection backend() {
        return backend;
    }

    PoolKey key() {
        return key;
    }

    PoolContents.Unheld as(PoolContents.Unheld.State state) {
        return new PoolContents.Unheld(backend, key, state);
    }

    /** Completes when what its last session did to it has been discarded, or when that has failed. */
    CompletableFuture<Void> discarded() {
        return discarded;
    }

    /** Promises it to the one who asks first. */
    boolean promise() {
        boolean was = promised;
        promised = true;
        return !was;
    }

    /** It is idle from now on. */
    void rest() {
        promised = false;
        sinceNanos = System.nanoTime();
    }

    long idleMillis() {
        return (System.nanoTime() - sinceNanos) / 1_000_000;
    }

    @Override
    public FrameHandler frames(BackendConnection of) {
        return this;
    }

    @Override
    public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
        return switch (type) {
            case BackendType.PARAMETER_STATUS -> Verdict.WHOLE;
            case BackendType.NOTIFICATION_RESPONSE -> notifications == null ? Verdict.SKIP : Verdict.WHOLE;
            case BackendType.NOTICE_RESPONSE, BackendType.ERROR_RESPONSE ->
                Verdict.SKIP; // an error that comes unasked is FATAL: the node closes the connection itself
            default -> {
                backend.close();
                yield Verdict.SKIP;
            }
        };
    }

    @Override
    public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
        if (notifications != null && type == BackendType.NOTIFICATION_RESPONSE) {
            notifications.add(ByteBufUtil.getBytes(in, index, frameLength));
        } else {
            backend.noteParameter(in, index, frameLength);
        }
        return Verdict.SKIP;
    }

    @Override
    public void forward(ByteBuf run) {
        run.release();
        throw new IllegalStateException("nothing of an idle connection is forwarded");
    }

    @Override
    public void malformed(byte type, int length) {
        backend.close();
    }

    @Override
    public void readComplete(BackendConnection of) {
        // whatever came has been dealt with
    }

    @Override
    public void writabilityChanged(BackendConnection of) {
        // the little that is written to an idle connection fits
    }

    @Override
    public void closed(BackendConnection of) {
        ended.accept(this);
    }
}
