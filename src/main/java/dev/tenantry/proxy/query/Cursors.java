package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.SqlName;
import dev.tenantry.wire.SqlErrorException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the node of a cursor in a block that several nodes are in: functions open cursors too, so the nodes are asked.
 * Lives on the client's event loop.
 */
final class Cursors {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private @Nullable Answer answer;

    /** What was found for a message, by which it is recognised when it is looked at again. */
    private record Answer(String name, long repliesNoted, Node node) {}

    Cursors(Conversation session, Dispatcher dispatcher) {
        this.session = session;
        this.dispatcher = dispatcher;
    }

    /** The block's node that has the cursor, or the one it used last; null when the message must wait. */
    @Nullable
    Node holder(String name, Node last) {
        TransactionScope transaction = session.transaction();
        if (!transaction.isDistributed() || transaction.status() == 'E') {
            return last;
        }
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return null;
        }
        Answer known = answer;
        answer = null;
        if (known != null
                && known.name().equals(name)
                && known.repliesNoted() == session.ledger().noted()) {
            return known.node();
        }
        String query = "SELECT 1 FROM pg_catalog.pg_cursors WHERE name OPERATOR(pg_catalog.=) "
                + SqlName.literal(session.settings().onWire(name));
        List<CompletableFuture<Stream<Node>>> asked = transaction.participants().stream()
                .map(participant -> ask(participant, query))
                .toList();
        dispatcher.run(CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new)), done -> {
            Node node =
                    asked.stream().flatMap(CompletableFuture::join).findFirst().orElse(last);
            answer = new Answer(name, session.ledger().noted(), node);
        });
        return null;
    }

    /**
     * The node where a cursor is to be made; null when the message must wait.
     *
     * @throws SqlErrorException when another node of the block has one of that name
     */
    @Nullable
    Node checked(String name, Node routed) {
        Node holder = holder(name, routed);
        if (holder != null && holder.nodeId() != routed.nodeId()) {
            throw new SqlErrorException(SqlErrors.cursorExists(name));
        }
        return holder;
    }

    private static CompletableFuture<Stream<Node>> ask(BackendConnection participant, String query) {
        return participant
                .call(query)
                .thenApply(result -> result.rows().isEmpty() ? Stream.of() : Stream.of(participant.node()));
    }
}
