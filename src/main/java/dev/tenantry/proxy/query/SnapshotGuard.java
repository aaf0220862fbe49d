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
    private final Map<Integer, CatalogSnapshot> since = new HashMap<>();
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
        if (!isInTransaction()) {
            return false; // one statement sees the node as it is
        }
        CatalogSnapshot now = context.committedCatalog();
        CatalogSnapshot then = since.putIfAbsent(node.nodeId(), now);
        if (then == null || then.version() == now.version() || READ_COMMITTED.equals(isolation)) {
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

    /** Whether a string can't be looked at as a whole: one of its statements may have to be refused. */
    boolean mayRefuse() {
        if (!isInTransaction() || READ_COMMITTED.equals(isolation)) {
            return false;
        }
        long version = context.committedCatalog().version();
        return since.values().stream().anyMatch(then -> then.version() != version);
    }

    /** The reply that was given last has ended a transaction. */
    void transactionEnded() {
        since.clear();
        isolation = null;
    }

    private boolean isInTransaction() {
        if (session.transaction().ended() != ended) {
            ended = session.transaction().ended();
            transactionEnded();
        }
        return session.transaction().isOpen() || session.backends().isUnsynced();
    }

    private @Nullable DistributedSchema arrived(
            StatementFacts facts, Node node, CatalogSnapshot then, CatalogSnapshot now) {
        Set<String> names = new HashSet<>();
        UsedSchemas.addTo(
                names, facts, () -> context.schemasOnPath(session.settings().current()));
        for (String name : names) {
            DistributedSchema was = then.schema(name);
            DistributedSchema is = now.schema(name);
            // The same object unless it has moved, perhaps away and back.
            if (was != null && is != null && was != is && is.node().nodeId() == node.nodeId()) {
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
