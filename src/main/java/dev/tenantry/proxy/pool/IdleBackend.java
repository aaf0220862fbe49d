package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.wire.BackendType;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A connection that no session holds. A node may tell it of settings that its configuration has changed, or end it;
 * with anything else it is out of step and is closed. Lives on the connection's event loop.
 */
final class IdleBackend implements BackendListener, FrameHandler {
    private final BackendConnection backend;
    private final PoolKey key;
    private final Consumer<IdleBackend> ended;
    private final CompletableFuture<Void> discarded = new CompletableFuture<>();
    private boolean promised;
    private long sinceNanos;

    /** Takes the connection over; {@code ended} is told when the node has ended it. */
    IdleBackend(BackendConnection backend, PoolKey key, Consumer<IdleBackend> ended) {
        this.backend = backend;
        this.key = key;
        this.ended = ended;
        backend.attach(this);
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
            case BackendType.NOTICE_RESPONSE, BackendType.NOTIFICATION_RESPONSE, BackendType.ERROR_RESPONSE ->
                Verdict.SKIP; // an error that comes unasked is FATAL: the node closes the connection itself
            default -> {
                backend.close();
                yield Verdict.SKIP;
            }
        };
    }

    @Override
    public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
        backend.noteParameter(in, index, frameLength);
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
