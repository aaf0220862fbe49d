package dev.tenantry.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The decisions that a node keeps of transactions over several nodes; see {@code dev.tenantry.commit.RecoveryRule}. */
public final class CommitRecords {

    private static final String UNIQUE_VIOLATION = "23505";
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final String QUERY_CANCELED = "57014";
    private static final String ABORT_WAIT_MAX = "2s";

    /** What became of an attempt to decide for abort. */
    public enum Outcome {
        /** The transaction can't commit any more. */
        ABORTED,
        /** It has committed. */
        COMMITTED,
        /** Its own transaction is still open, so nothing is decided. */
        STILL_OPEN
    }

    private CommitRecords() {}

    /**
     * A transaction that has committed and is not known to be finished everywhere.
     *
     * @param gid its global id
     * @param nodeIds the nodes it was prepared on
     */
    public record Committed(String gid, Set<Integer> nodeIds) {}

    /** Transactions whose commit this node has recorded; when there are very many, some of them. */
    public static List<Committed> committed(ServerConnection node) {
        List<Committed> found = new ArrayList<>();
        node.query(CatalogSql.COMMITTED)
                .forEach(row ->
                        found.add(new Committed(row.getString(0), Set.copyOf(List.of(row.getArrayOfIntegers(1))))));
        return found;
    }

    /** Decides for abort unless it is decided already; waits a moment for a decider that is just committing. */
    public static Outcome abort(ServerConnection node, String gid) {
        node.query("SET lock_timeout = '" + ABORT_WAIT_MAX + "'");
        try {
            node.query(CatalogSql.DECIDE_ABORT, gid);
            return Outcome.ABORTED;
        } catch (StatementRefusedException refused) {
            return switch (refused.sqlState()) {
                case UNIQUE_VIOLATION -> decided(node, gid);
                case LOCK_NOT_AVAILABLE, QUERY_CANCELED -> Outcome.STILL_OPEN;
                default -> throw refused;
            };
        }
    }

    /** The row that was in the way is a commit, or the abort of an earlier attempt. */
    private static Outcome decided(ServerConnection node, String gid) {
        var row = node.query(CatalogSql.DECISION, gid).iterator();
        if (!row.hasNext()) {
            return Outcome.STILL_OPEN; // forgotten meanwhile: the next look finds out
        }
        return row.next().getBoolean(0) ? Outcome.ABORTED : Outcome.COMMITTED;
    }

    /** Removes records whose transactions are finished everywhere. */
    public static void forget(ServerConnection node, List<String> gids) {
        if (!gids.isEmpty()) {
            node.query(CatalogSql.FORGET, (Object) gids.toArray(new String[0]));
        }
    }

    /**
     * Removes decisions to abort that nobody can run into any more: the transaction they forbade was open already
     * when they were made, so it has ended when every transaction open on the node is younger.
     */
    public static void forgetAborts(ServerConnection node) {
        node.query("""
                DELETE FROM tenantry.commit_record r
                WHERE r.aborted AND r.made_at < clock_timestamp() - interval '1 minute' AND NOT EXISTS (
                    SELECT FROM pg_catalog.pg_stat_activity a
                    WHERE a.xact_start < r.made_at AND a.pid <> pg_catalog.pg_backend_pid())
                """);
    }
}
