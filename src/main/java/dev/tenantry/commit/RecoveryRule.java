package dev.tenantry.commit;

import java.time.Duration;
import java.util.Optional;

/**
 * What to do with a prepared transaction that was found on a node.
 *
 * <p>Its decider holds a record with its name if and only if it committed. Recovery inserts the same name itself, as a
 * decision to abort: that waits while the decider's transaction is still open; it fails when the record is there, so
 * the transaction has committed; and when it succeeds the record can never come any more. Age is courtesy only: it
 * spares transactions whose proxy is just between preparing and deciding.
 */
public final class RecoveryRule {

    private RecoveryRule() {}

    /** What the decider answered. */
    public enum Decision {
        /** The record was there. */
        COMMITTED,
        /** The record can't come any more. */
        ABORTED,
        /** The decider did not answer, or its transaction is still open. */
        UNKNOWN
    }

    /** What to do on the node. */
    public enum Action {
        COMMIT_PREPARED,
        ROLLBACK_PREPARED,
        LEAVE
    }

    /** The transaction's id if it is ours to look after: of this cluster and older than that. */
    public static Optional<GlobalTransactionId> concerned(String gid, String clusterId, Duration age, Duration ageMin) {
        return GlobalTransactionId.parse(gid)
                .filter(id -> id.clusterId().equals(clusterId))
                .filter(id -> age.compareTo(ageMin) >= 0);
    }

    /** What the decision means for a node where the transaction is prepared. */
    public static Action action(Decision decision) {
        return switch (decision) {
            case COMMITTED -> Action.COMMIT_PREPARED;
            case ABORTED -> Action.ROLLBACK_PREPARED;
            case UNKNOWN -> Action.LEAVE;
        };
    }
}
