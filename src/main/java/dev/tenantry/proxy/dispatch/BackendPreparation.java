package dev.tenantry.proxy.dispatch;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.backend.BackendLost;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionBackends;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.wire.SqlErrorException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * Opens a node's backend, gives it the session's settings and takes it into the session's transaction. Lives on the
 * client's event loop.
 */
public final class BackendPreparation {
    /** As long as a login may take. */
    private static final long BEGIN_MILLIS_MAX = 15_000;

    private final SessionSettings settings;
    private final TransactionScope transaction;
    private final SessionBackends backends;
    private final BackendListener listener;
    private final SettingsSync sync;

    public BackendPreparation(
            SessionSettings settings,
            TransactionScope transaction,
            SessionBackends backends,
            BackendListener listener) {
        this.settings = settings;
        this.transaction = transaction;
        this.backends = backends;
        this.listener = listener;
        this.sync = new SettingsSync(settings, transaction);
    }

    /** The backend of a node with the settings of the session, inside its transaction if one is open. */
    public CompletableFuture<BackendConnection> prepare(Node node) {
        return opened(node).thenCompose(this::prepared);
    }

    /** The same for work on several nodes: one that hangs must not have it wait, and what it holds on the others. */
    public CompletableFuture<BackendConnection> prepareSoon(Node node) {
        return opened(node).thenCompose(backend -> soon(backend, prepared(backend)));
    }

    private CompletableFuture<BackendConnection> prepared(BackendConnection backend) {
        return transaction.isOpen() && transaction.isEnlisted(backend)
                ? caughtUp(backend)
                : settled(backend).thenCompose(this::enlisted);
    }

    /** Whether a backend has the settings of the session, inside its transaction if one is open. */
    boolean isCurrent(BackendConnection backend) {
        return transaction.isOpen()
                ? transaction.isEnlisted(backend)
                        && (backend.openLabel() == settings.current() || backend.status() == 'E')
                : backend.label() == settings.session() || settings.isLabel(backend.label());
    }

    /** Whether at most a BEGIN is between an open backend and the session's next statement. */
    boolean isLight(BackendConnection backend) {
        return isCurrent(backend)
                || transaction.isOpen()
                        && !transaction.isEnlisted(backend)
                        && transaction.savepoints().isEmpty()
                        && settings.isUntouched()
                        && settings.isLabel(backend.label());
    }

    /** The BEGIN of the session's transaction, with its modes. */
    String begin() {
        return TransactionModes.begin(settings.current());
    }

    /** Runs SQL outside a transaction as another role, which the session may take, and gives the role back. */
    public CompletableFuture<CallResult> callAs(BackendConnection backend, String sql, String role) {
        return sync.callAs(backend, sql, role);
    }

    /** Whether the client is gone. Safe from any thread. */
    public boolean isAbandoned() {
        return backends.isAbandoned();
    }

    /** The backend's part of the transaction has committed, or can: it keeps what was set. */
    public void kept(BackendConnection backend) {
        if (backend.openLabel() instanceof SessionSettings.State had) {
            backend.label(had.session());
        }
    }

    /** The backend of a node, open. */
    public CompletableFuture<BackendConnection> opened(Node node) {
        BackendConnection known = backends.of(node);
        return known != null && !known.isClosed()
                ? CompletableFuture.completedFuture(known)
                : backends.open(node, listener);
    }

    /** The same backend with the settings of the session. */
    public CompletableFuture<BackendConnection> settled(BackendConnection backend) {
        if (settings.isLabel(backend.label())) {
            backend.label(settings.committed()); // so that the next comparison is one of references
            return CompletableFuture.completedFuture(backend);
        }
        Object wanted = settings.committed();
        return sync.bring(backend).thenCompose(result -> {
            if (!result.isSuccess()) {
                return cleared(backend, result);
            }
            backend.label(wanted);
            return CompletableFuture.completedFuture(backend);
        });
    }

    /** The same for a session that is about to begin: a node that takes too long hangs, and another one may do. */
    public CompletableFuture<BackendConnection> settledSoon(BackendConnection backend) {
        return soon(backend, settled(backend));
    }

    private static CompletableFuture<BackendConnection> soon(
            BackendConnection backend, CompletableFuture<BackendConnection> step) {
        if (step.isDone()) {
            return step;
        }
        long startedNanos = System.nanoTime();
        return backend.within(BEGIN_MILLIS_MAX, step).exceptionallyCompose(problem -> {
            Throwable cause =
                    problem instanceof CompletionException && problem.getCause() != null ? problem.getCause() : problem;
            boolean late = System.nanoTime() - startedNanos >= TimeUnit.MILLISECONDS.toNanos(BEGIN_MILLIS_MAX);
            return CompletableFuture.failedFuture(
                    late && cause instanceof BackendLost
                            ? new BackendRefused(backend.node(), SqlErrors.silent(backend.node(), BEGIN_MILLIS_MAX))
                            : cause);
        });
    }

    /** A part of the settings could not be had: which of them the backend has by now, no label tells. */
    private CompletableFuture<BackendConnection> cleared(BackendConnection backend, CallResult failed) {
        return sync.clear(backend).thenApply(result -> {
            backend.label(null);
            if (!result.isSuccess()) {
                backend.close();
            }
            check(failed);
            return backend;
        });
    }

    /** A backend that has failed stays as it is: its own error comes first. */
    private CompletableFuture<BackendConnection> caughtUp(BackendConnection backend) {
        if (isCurrent(backend) || !(backend.openLabel() instanceof SessionSettings.State had)) {
            return CompletableFuture.completedFuture(backend);
        }
        SessionSettings.State wanted = settings.current();
        return sync.catchUp(backend, had).thenApply(result -> {
            check(result);
            backend.openLabel(wanted);
            return backend;
        });
    }

    private CompletableFuture<BackendConnection> enlisted(BackendConnection backend) {
        if (!transaction.isOpen()) {
            return CompletableFuture.completedFuture(backend);
        }
        SessionSettings.State wanted = settings.current();
        return sync.begin(backend).thenApply(result -> {
            transaction.enlist(backend, wanted); // also when a part of it has failed: it is in a transaction now
            check(result);
            return backend;
        });
    }

    private static void check(CallResult result) {
        if (!result.isSuccess()) {
            throw new SqlErrorException(SqlErrors.of(result));
        }
    }
}
