package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.dispatch.BackendPreparation;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets work that takes several steps on several nodes be written as one step after another: it runs on a virtual thread
 * and waits; each step runs on the client's event loop. The session holds the client's messages meanwhile.
 */
final class NodeCalls {
    private static final System.Logger LOG = System.getLogger(NodeCalls.class.getName());
    private static final SqlError SHUTDOWN =
            SqlError.error("57P01", "terminating connection due to administrator command");

    private final EventLoop loop;
    private final BackendPreparation preparation;
    private final BooleanSupplier cancelled;
    private final List<byte[]> notices = new ArrayList<>();
    private boolean ending;

    /** {@code cancelled} says, on the loop, whether the client has cancelled the statement that the work is for. */
    NodeCalls(EventLoop loop, BackendPreparation preparation, BooleanSupplier cancelled) {
        this.loop = loop;
        this.preparation = preparation;
        this.cancelled = cancelled;
    }

    /** The transaction is ended: from now on a cancel reaches what runs on a node, and nothing else. */
    void ending() {
        ending = true;
    }

    /** What the nodes noted beside their answers, whole messages, each once. */
    List<byte[]> notices() {
        return notices;
    }

    /** A node's backend, inside the session's transaction. */
    BackendConnection enlist(Node node) {
        return await(unlessCancelled(() -> preparation.prepareSoon(node)));
    }

    /**
     * Runs SQL of one character a byte, in the client's encoding.
     *
     * @throws NodeError when a statement fails
     * @throws SqlErrorException when the node is lost
     */
    CallResult call(BackendConnection backend, String sql) {
        return check(await(unlessCancelled(() -> traced(backend, sql))));
    }

    private static CompletableFuture<CallResult> traced(BackendConnection backend, String sql) {
        backend.trace();
        return backend.call(sql);
    }

    /** The same for messages of the extended protocol, owned by the callee. */
    CallResult call(BackendConnection backend, ByteBuf messages, int readyExpected) {
        return check(await(() -> backend.call(messages, readyExpected)));
    }

    /** A cancel that comes between two calls finds nothing running, but the statement must not go on. */
    private <T> Supplier<CompletableFuture<T>> unlessCancelled(Supplier<CompletableFuture<T>> step) {
        return ending
                ? step
                : () -> cancelled.getAsBoolean()
                        ? CompletableFuture.failedFuture(new SqlErrorException(SqlErrors.cancelled()))
                        : step.get();
    }

    /** Runs the same SQL on several backends at the same time; throws what the first that failed has said. */
    List<CallResult> callAll(List<BackendConnection> backends, String sql) {
        return checkAll(backends, attemptAll(backends, sql));
    }

    /** The results of several backends; throws what the first that failed has said. */
    List<CallResult> checkAll(List<BackendConnection> backends, List<Optional<CallResult>> results) {
        List<CallResult> checked = new ArrayList<>();
        for (int i = 0; i < backends.size(); i++) {
            Node node = backends.get(i).node();
            checked.add(check(results.get(i).orElseThrow(() -> new SqlErrorException(SqlErrors.lost(node)))));
        }
        return checked;
    }

    /** COMMIT. */
    CallResult commit(BackendConnection backend) {
        return commit(backend, "COMMIT");
    }

    /** Runs SQL with which the backend keeps what was set in the transaction. */
    CallResult commit(BackendConnection backend, String sql) {
        return check(await(() -> committing(backend, sql)));
    }

    /** The same, and leaves it to the caller to see whether it worked; empty when the node is lost. */
    Optional<CallResult> attemptToCommit(BackendConnection backend, String sql) {
        return attempt(() -> committing(backend, sql));
    }

    /** The same on several backends at the same time. */
    List<Optional<CallResult>> attemptToCommitAll(List<BackendConnection> backends, String sql) {
        return attemptAll(backends, backend -> committing(backend, sql));
    }

    private CompletableFuture<CallResult> committing(BackendConnection backend, String sql) {
        return backend.call(sql).thenApply(result -> {
            if (result.isSuccess() && !result.tags().contains("ROLLBACK")) {
                preparation.kept(backend);
            }
            return result;
        });
    }

    /**
     * Finishes what is prepared, as a role that the session may take and gives back if one is named, and leaves it to
     * the caller to see whether it worked; empty when the node is lost, or has not answered by then, of
     * {@link System#nanoTime()}.
     */
    Optional<CallResult> attempt(BackendConnection backend, String sql, @Nullable String role, long untilNanos) {
        return attempt(() -> callAs(backend, sql, role, untilNanos));
    }

    /** A connection whose node hangs is ended: whatever it carries out, it answers nobody. */
    private CompletableFuture<CallResult> callAs(
            BackendConnection backend, String sql, @Nullable String role, long untilNanos) {
        CompletableFuture<CallResult> called =
                role == null ? backend.call(sql) : preparation.callAs(backend, sql, role);
        return unlessLate(called, untilNanos, backend::close);
    }

    /** The same on a connection that is opened for it, because the one that the session had to that node has ended. */
    Optional<CallResult> attemptAnew(Node node, String sql, @Nullable String role, long untilNanos) {
        return attempt(() -> {
            CompletableFuture<BackendConnection> opened =
                    preparation.opened(node).copy(); // it may well come later
            Runnable giveUp = () -> opened.completeExceptionally(new SqlErrorException(SqlErrors.lost(node)));
            return unlessLate(opened, untilNanos, giveUp)
                    .thenCompose(backend -> callAs(backend, sql, role, untilNanos));
        });
    }

    private <T> CompletableFuture<T> unlessLate(CompletableFuture<T> step, long untilNanos, Runnable late) {
        Future<?> end = loop.schedule(late, Math.max(0, untilNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        return step.whenComplete((result, problem) -> end.cancel(false));
    }

    /** Whether nobody is left to hear what comes of the work: the client is gone, or the proxy stops. */
    boolean isForNobody() {
        return loop.isShuttingDown() || preparation.isAbandoned();
    }

    /** A notice of ours for the client. */
    void note(SqlError notice) {
        ByteBuf out = Unpooled.buffer(256);
        BackendMessages.error(out, notice);
        notices.add(ByteBufUtil.getBytes(out));
    }

    /** Runs the same SQL on several backends at the same time. */
    List<Optional<CallResult>> attemptAll(List<BackendConnection> backends, String sql) {
        return attemptAll(backends, backend -> backend.call(sql));
    }

    private List<Optional<CallResult>> attemptAll(
            List<BackendConnection> backends, Function<BackendConnection, CompletableFuture<CallResult>> step) {
        return await(() -> {
            List<CompletableFuture<Optional<CallResult>>> results = new ArrayList<>();
            backends.forEach(backend ->
                    results.add(step.apply(backend).thenApply(Optional::of).exceptionally(lost -> Optional.empty())));
            return CompletableFuture.allOf(results.toArray(CompletableFuture[]::new))
                    .thenApply(
                            all -> results.stream().map(CompletableFuture::join).toList());
        });
    }

    private Optional<CallResult> attempt(Supplier<CompletableFuture<CallResult>> step) {
        try {
            return Optional.of(await(step));
        } catch (SqlErrorException lost) {
            return Optional.empty();
        }
    }

    /** Does something on the event loop. */
    void onLoop(Runnable action) {
        await(() -> {
            action.run();
            return CompletableFuture.completedFuture(Boolean.TRUE);
        });
    }

    /** Ends the work on the event loop; nothing is left to tell when the proxy has stopped meanwhile. */
    void finish(Runnable action) {
        try {
            onLoop(action);
        } catch (SqlErrorException stopped) {
            LOG.log(System.Logger.Level.DEBUG, "session ended while it worked", stopped);
        }
    }

    private CallResult check(CallResult result) {
        for (byte[] notice : result.notices()) {
            if (notices.stream().noneMatch(known -> java.util.Arrays.equals(known, notice))) {
                notices.add(notice);
            }
        }
        byte[] error = result.error();
        if (error != null) {
            throw new NodeError(error);
        }
        return result;
    }

    private <T> T await(Supplier<CompletableFuture<T>> step) {
        CompletableFuture<T> done = new CompletableFuture<>();
        try {
            loop.execute(() -> begin(step, done));
        } catch (RejectedExecutionException stopped) {
            throw new SqlErrorException(SHUTDOWN);
        }
        try {
            return done.get();
        } catch (ExecutionException failed) {
            throw new SqlErrorException(Dispatcher.told(failed.getCause() == null ? failed : failed.getCause()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new SqlErrorException(SHUTDOWN);
        }
    }

    private static <T> void begin(Supplier<CompletableFuture<T>> step, CompletableFuture<T> done) {
        try {
            step.get().whenComplete((result, problem) -> {
                if (problem == null) {
                    done.complete(result);
                } else {
                    done.completeExceptionally(problem);
                }
            });
        } catch (RuntimeException failed) {
            done.completeExceptionally(failed);
        }
    }
}
