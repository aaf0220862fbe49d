package dev.tenantry.proxy.query;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.routing.UsedSchemas;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.SqlErrorException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a transaction that sees a node as it once was (REPEATABLE READ and SERIALIZABLE, "Transaction Isolation") from
 * a schema that has moved to the node since: the rows were copied behind the transaction's back, which would find the
 * tables empty. The node is asked for the isolation level, as its settings may have decided it, but only when such a
 * schema is used. Lives on the client's event loop.
 */
final class SnapshotGuard {
    private static final String ISOLATION = "SHOW transaction_isolation";
    private static final String READ_COMMITTED = "read committed";

    private final Conversation session;
    private final SessionContext context;
    private final Dispatcher dispatcher;

    /** What the catalog was when a node came into the transaction, by node id. */
    private final Map<Integer, CatalogSnapshot> since = new HashMap<>();

    /** What it was when nothing was open or owed last, so before anything that is. */
    private @Nullable CatalogSnapshot begun;

    private long ended;
    private @Nullable String isolation;

    SnapshotGuard(Conversation session, SessionContext context, Dispatcher dispatcher) {
        this.session = session;
        this.context = context;
        this.dispatcher = dispatcher;
    }

    /**
     * Whether the statement, which goes to that node, waits until the node has been asked; then its message is looked
     * at again.
     *
     * @throws SqlErrorException 40001, when the transaction would not see what is there
     */
    boolean holds(StatementFacts facts, Node node) {
        CatalogSnapshot then = sends(node);
        CatalogSnapshot now = context.committedCatalog();
        if (then.version() == now.version() || READ_COMMITTED.equals(isolation)) {
            return false;
        }
        BackendConnection backend = session.backends().of(node);
        DistributedSchema arrived = arrived(facts, node, then, now);
        if (backend == null || arrived == null) {
            return false;
        }
        if (isolation != null) {
            throw new SqlErrorException(SqlErrors.arrivedBehindSnapshot(arrived));
        }
        dispatcher.keepBatch();
        if (dispatcher.isQuiet()) {
            dispatcher.run(backend.call(ISOLATION), this::told);
        }
        return true;
    }

    /** Something is about to go to that node; what the catalog was when its snapshot there was taken, or before. */
    CatalogSnapshot sends(Node node) {
        CatalogSnapshot now = context.committedCatalog();
        boolean idle = isIdle();
        if (idle || begun == null) {
            forget();
            begun = now;
        }
        if (idle) {
            return now;
        }
        if (session.transaction().ended() != ended) {
            ended = session.transaction().ended();
            since.clear();
            isolation = null;
        }
        CatalogSnapshot then = isThere(node) ? since.getOrDefault(node.nodeId(), begun) : now;
        if (then != begun) {
            since.put(node.nodeId(), then);
        }
        return then;
    }

    /** Whether a string can't be looked at as a whole: one of its statements may have to be refused. */
    boolean mayRefuse() {
        return begun != null
                && !isIdle()
                && begun.version() != context.committedCatalog().version()
                && !READ_COMMITTED.equals(isolation);
    }

    /** The reply that was given last has ended a transaction. */
    void transactionEnded() {
        if (isIdle()) {
            forget(); // an idle session keeps no old catalog alive
        }
    }

    private void forget() {
        ended = session.transaction().ended();
        begun = null;
        since.clear();
        isolation = null;
    }

    private boolean isIdle() {
        return !session.transaction().isOpen()
                && !session.backends().isUnsynced()
                && session.ledger().isEmpty();
    }

    /** Whether the transaction may have a snapshot there; true while nobody knows. */
    private boolean isThere(Node node) {
        BackendConnection backend = session.backends().of(node);
        return backend != null
                && (!session.transaction().isOpen() || session.transaction().isEnlisted(backend));
    }

    private @Nullable DistributedSchema arrived(
            StatementFacts facts, Node node, CatalogSnapshot then, CatalogSnapshot now) {
        Set<String> names = new HashSet<>();
        UsedSchemas.addTo(
                names, facts, () -> context.schemasOnPath(session.settings().current()));
        for (String name : names) {
            DistributedSchema was = then.schema(name);
            DistributedSchema is = now.schema(name);
            // Also one that has been away and is back.
            if (was != null
                    && is != null
                    && was.placed() != is.placed()
                    && is.node().nodeId() == node.nodeId()) {
                return is;
            }
        }
        return null;
    }

    /** A node that does not say is in a block that has failed, and says so to the statement. */
    private void told(CallResult result) {
        isolation = result.isSuccess() ? result.rows().getFirst().getFirst() : READ_COMMITTED;
    }
}
