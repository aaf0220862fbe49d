package dev.tenantry.proxy.server;

import dev.tenantry.activity.SessionActivity;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.TransactionScope;
import java.net.InetSocketAddress;
import java.time.Instant;
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
    SessionActivity session(Identity identity, Moment now) {
        DistributedSchema schema = schema();
        String applicationName = session.settings().effective("application_name");
        return new SessionActivity(
                identity.sessionId(),
                identity.client().getAddress().getHostAddress(),
                identity.client().getPort(),
                context.user(),
                applicationName == null ? "" : applicationName,
                schema == null ? null : schema.name(),
                schema == null ? null : schema.node().name(),
                occupancy.state(),
                now.before(timer.sinceNanos()),
                now.before(startedNanos),
                transactionStart(now));
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
