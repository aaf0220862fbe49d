package dev.tenantry.commit;

import java.time.Duration;
import java.util.Optional;

/**
 * What to do with a prepared transaction that was found on a node.
 *
 * <p>Its decider holds a record with its name if and only if it committed. Recovery inserts the same name itself, as a
 * decision to abort: that waits while the decider's transaction is still open; it fails when the record is there, so
 * the transaction has committed; and when it succeeds the record can never come any more. Age is courtesy only: it
 * spares transactions whose proxy is just between preparing and deciding, and is not owed to one that can't decide or
 * finish any more.
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

    /** Who is there to finish a prepared transaction before recovery does. */
    public enum Keeper {
        /** Its proxy, as far as is known. */
        ALIVE,
        /** None has been heard of lately; a proxy that has just begun may not have been heard of yet. */
        GONE,
        /** None: the node where it is prepared, or the one that decides, was restarted, so its proxy has lost it. */
        CUT_OFF
    }

    /** What is left to a proxy that may have begun only now. */
    private static final Duration SHORT_AGE_MIN = Duration.ofSeconds(1);

    /** The transaction's id if it is ours to look after: of this cluster. */
    public static Optional<GlobalTransactionId> concerned(String gid, String clusterId) {
        return GlobalTransactionId.parse(gid).filter(id -> id.clusterId().equals(clusterId));
    }

    /**
     * Whether one of that age is to be finished now.
     *
     * @param ageMin how long transactions are left to their proxy
     */
    public static boolean isDue(Duration age, Keeper keeper, Duration ageMin) {
        return switch (keeper) {
            case ALIVE -> age.compareTo(ageMin) >= 0;
            case GONE -> age.compareTo(ageMin) >= 0 || age.compareTo(SHORT_AGE_MIN) >= 0;
            case CUT_OFF -> true;
        };
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
