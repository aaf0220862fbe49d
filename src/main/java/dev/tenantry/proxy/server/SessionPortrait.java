package dev.tenantry.proxy.server;

import dev.tenantry.activity.LockWaiter;
import dev.tenantry.activity.SessionActivity;
import dev.tenantry.activity.TransactionActivity;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.pool.PoolKey;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.TransactionScope;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What others are shown of a session; read from what the session keeps anyway. Lives on the client's event loop. */
final class SessionPortrait {
    private final Conversation session;
    private final SessionContext context;
    private final Occupancy occupancy;
    private final AnswerTimer timer;
    private final long startedNanos = System.nanoTime();

    /** Who a session is to its client. */
    record Identity(long sessionId, InetSocketAddress client) {}

    SessionPortrait(Conversation session, SessionContext context, Occupancy occupancy, AnswerTimer timer) {
        this.session = session;
        this.context = context;
        this.occupancy = occupancy;
        this.timer = timer;
    }

    /** As it is now. */
    SessionActivity session(Identity identity, Moment now, List<String> pinReasons) {
        DistributedSchema schema = schema();
        String applicationName = session.settings().effective("application_name");
        return new SessionActivity(
                identity.sessionId(),
                NetUtil.toAddressString(identity.client().getAddress()),
                identity.client().getPort(),
                context.user(),
                applicationName == null ? "" : applicationName,
                schema == null ? null : schema.name(),
                schema == null ? null : schema.node().name(),
                occupancy.state(),
                now.before(timer.sinceNanos()),
                now.before(startedNanos),
                transactionStart(now),
                pinReasons);
    }

    /** The open block, if there is one. */
    Optional<TransactionActivity> transaction(Identity identity, Moment now) {
        TransactionScope transaction = session.transaction();
        if (!transaction.isOpen()) {
            return Optional.empty();
        }
        return Optional.of(new TransactionActivity(
                identity.sessionId(),
                context.user(),
                occupancy.state(),
                transaction.participants().stream()
                        .map(backend -> backend.node().name())
                        .toList(),
                transaction.isDistributed(),
                now.before(transaction.begunNanos()),
                now.millisSince(transaction.begunNanos())));
    }

    /** As one that may wait for locks on several nodes, if it can. */
    Optional<LockWaiter> lockWaiter(Identity identity, Moment now) {
        TransactionScope transaction = session.transaction();
        if (!transaction.isDistributed() || !occupancy.state().equals("active")) {
            return Optional.empty();
        }
        return Optional.of(new LockWaiter(
                identity.sessionId(),
                now.before(transaction.begunNanos()),
                timer.sinceNanos(),
                transaction.participants().stream()
                        .map(backend ->
                                new LockWaiter.NodeProcess(backend.node().nodeId(), backend.processId()))
                        .toList()));
    }

    /** What runs is about to be cancelled to end a deadlock. */
    void isDeadlocked() {
        session.transaction().deadlocked();
    }

    String role() {
        return context.user();
    }

    /** What its connections were opened with. */
    PoolKey key() {
        return session.backends().key();
    }

    /** The connections that it holds. */
    Collection<BackendConnection> backends() {
        return session.backends().all();
    }

    /** What goes on on one of them, in the words of {@code pg_stat_activity}. */
    String state(BackendConnection backend) {
        if (isAtWork(backend)) {
            return "active";
        }
        return switch (backend.status()) {
            case 'T' -> "idle in transaction";
            case 'E' -> "idle in transaction (aborted)";
            default -> "idle";
        };
    }

    /** What the session needs one of them for. */
    String use(BackendConnection backend, boolean shared) {
        if (session.transaction().isOpen() && session.transaction().isEnlisted(backend)) {
            return "transaction";
        }
        if (isAtWork(backend)) {
            return "statement";
        }
        return shared ? "its session, until another needs it" : "its session";
    }

    private boolean isAtWork(BackendConnection backend) {
        boolean owes = backend == session.backends().active()
                && (!session.ledger().isEmpty() || session.backends().isUnsynced());
        return owes || backend.isInCall();
    }

    private @Nullable DistributedSchema schema() {
        for (String name : context.searchPath()) {
            DistributedSchema schema = context.catalog().schema(name.equals("$user") ? context.currentRole() : name);
            if (schema != null) {
                return schema;
            }
        }
        return null;
    }

    /** Outside a block, a statement that runs is its own transaction. */
    private @Nullable Instant transactionStart(Moment now) {
        TransactionScope transaction = session.transaction();
        if (transaction.isOpen()) {
            return now.before(transaction.begunNanos());
        }
        return occupancy.state().equals("active") ? now.before(timer.sinceNanos()) : null;
    }
}
