package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementKind;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * COMMIT PREPARED and ROLLBACK PREPARED of what a client has prepared, on whichever node that is: the client, or who
 * finishes it for the client, need not be where it was prepared. On the client's event loop, but for the work itself.
 */
final class PreparedTransactions {
    private static final String UNDEFINED_OBJECT = "42704";

    private final Conversation session;
    private final SessionContext context;
    private final ClusterStatements cluster;

    PreparedTransactions(Conversation session, SessionContext context, ClusterStatements cluster) {
        this.session = session;
        this.context = context;
        this.cluster = cluster;
    }

    /**
     * Runs one, in a session that is quiet and in no block that has failed.
     *
     * @throws SqlErrorException in a block, a string or a batch behind something else, as PostgreSQL does
     */
    Verdict finish(StatementFacts facts, String text, Turn turn) {
        String tag = facts.kind() == StatementKind.COMMIT_PREPARED ? "COMMIT PREPARED" : "ROLLBACK PREPARED";
        if (session.transaction().isOpen() || turn.isPart()) {
            boolean batch = turn == Turn.EXECUTE && session.transaction().isImplicit();
            throw new SqlErrorException(SqlError.error(
                    "25001",
                    tag
                            + (batch
                                    ? " cannot be executed within a pipeline"
                                    : " cannot run inside a transaction block")));
        }
        List<Node> nodes = nodes();
        cluster.work(() -> {
            NodeCalls calls = cluster.calls();
            Outcome outcome = Outcome.of(() -> finish(calls, nodes, text, tag));
            cluster.answer(calls, out -> outcome.write(out, session.replies()), outcome.worked(), turn, () -> {});
        });
        return Verdict.SKIP;
    }

    /** The node that the session has used last comes first: most often it is there. */
    private List<Node> nodes() {
        Node last = context.anyNode();
        List<Node> nodes = new ArrayList<>(List.of(last));
        context.catalog().nodes().stream()
                .filter(node -> node.active() && node.nodeId() != last.nodeId())
                .forEach(nodes::add);
        return nodes;
    }

    private static String finish(NodeCalls calls, List<Node> nodes, String text, String tag) {
        RuntimeException unknown = null;
        RuntimeException unreached = null;
        for (Node node : nodes) {
            try {
                calls.call(calls.enlist(node), text);
                return tag;
            } catch (NodeError said) {
                if (!said.sqlState().equals(UNDEFINED_OBJECT)) {
                    throw said;
                }
                unknown = unknown == null ? said : unknown;
            } catch (SqlErrorException lost) {
                if (lost.error().sqlState().equals(SqlErrors.cancelled().sqlState())) {
                    throw lost;
                }
                unreached = unreached == null ? lost : unreached;
            }
        }
        // Where one could not be asked, nobody knows that there is no such transaction.
        throw Stream.of(unreached, unknown).filter(Objects::nonNull).findFirst().orElseThrow();
    }
}
