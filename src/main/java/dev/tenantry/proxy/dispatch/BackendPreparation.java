package dev.tenantry.proxy.dispatch;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionBackends;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.wire.SqlErrorException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Opens a node's backend, gives it the session's settings and takes it into the session's transaction. Lives on the
 * client's event loop.
 */
public final class BackendPreparation {
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
        this.sync = new SettingsSync(settings);
    }

    /** The backend of a node with the settings of the session, inside its transaction if one is open. */
    public CompletableFuture<BackendConnection> prepare(Node node) {
        return opened(node).thenCompose(backend -> {
            if (transaction.isOpen() && transaction.isEnlisted(backend)) {
                return CompletableFuture.completedFuture(backend);
            }
            return settled(backend).thenCompose(this::enlisted);
        });
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
            return CompletableFuture.completedFuture(backend);
        }
        Object wanted = settings.committed();
        return sync.bring(backend).thenApply(result -> {
            check(result);
            backend.label(wanted);
            return backend;
        });
    }

    private CompletableFuture<BackendConnection> enlisted(BackendConnection backend) {
        if (!transaction.isOpen()) {
            return CompletableFuture.completedFuture(backend);
        }
        List<String> statements = new ArrayList<>(transaction.prologue());
        return run(backend, statements.iterator())
                .thenCompose(done -> transaction.isBound() ? sync.bringUncommitted(backend) : done(backend))
                .thenApply(done -> {
                    transaction.enlist(backend);
                    return backend;
                });
    }

    private static CompletableFuture<BackendConnection> done(BackendConnection backend) {
        return CompletableFuture.completedFuture(backend);
    }

    private CompletableFuture<BackendConnection> run(BackendConnection backend, Iterator<String> statements) {
        if (!statements.hasNext()) {
            return CompletableFuture.completedFuture(backend);
        }
        return backend.call(statements.next()).thenCompose(result -> {
            check(result);
            return run(backend, statements);
        });
    }

    private static void check(CallResult result) {
        if (!result.isSuccess()) {
            throw new SqlErrorException(SqlErrors.of(result));
        }
    }
}
