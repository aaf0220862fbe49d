package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.sql.SqlName;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Ends a transaction that may have used several nodes. Runs on a virtual thread.
 *
 * <p>Commit, when there are several: PREPARE TRANSACTION on every node but the coordinator; then the coordinator
 * notes the transaction's id in {@code tenantry.commit_record} in its own transaction, whose COMMIT is the decision;
 * then COMMIT PREPARED on the others; then the record is removed. Whatever dies in between, recovery finishes by
 * asking for the record.
 */
public final class DistributedEnd {

    /** Where a test may stop the world. */
    public enum Point {
        BEFORE_PREPARE,
        AFTER_PREPARE,
        AFTER_DECISION,
        AFTER_COMMIT_PREPARED
    }

    /** Told when each point is reached; does nothing outside tests. */
    public interface Observer {
        void reached(Point point);
    }

    private final NodeCalls calls;
    private final Observer observer;

    public DistributedEnd(NodeCalls calls, Observer observer) {
        this.calls = calls;
        this.observer = observer;
    }

    /** Undoes everything; nodes that can't be reached have undone it themselves. */
    public void rollback(List<BackendConnection> participants) {
        for (BackendConnection participant : participants) {
            if (!participant.isClosed()) {
                calls.attempt(participant, "ROLLBACK");
            }
        }
    }

    /**
     * Commits.
     *
     * @return the tag: ROLLBACK when the transaction had failed
     * @throws NodeError when a node can't commit; everything is undone
     * @throws SqlErrorException when it is not known what became of it
     */
    public String commit(List<BackendConnection> participants, Node coordinator, String gid) {
        if (participants.size() == 1) {
            return SchemaDdl.tag(calls.call(participants.getFirst(), "COMMIT"));
        }
        BackendConnection decider = participants.stream()
                .filter(backend -> backend.node().nodeId() == coordinator.nodeId())
                .findFirst()
                .orElseThrow();
        List<BackendConnection> others = new ArrayList<>(participants);
        others.remove(decider);
        observer.reached(Point.BEFORE_PREPARE);
        List<BackendConnection> prepared = prepare(others, decider, gid);
        if (prepared.size() < others.size()) {
            return "ROLLBACK";
        }
        observer.reached(Point.AFTER_PREPARE);
        decide(decider, prepared, gid);
        observer.reached(Point.AFTER_DECISION);
        finish(decider, prepared, gid);
        return "COMMIT";
    }

    /** Prepares all; when one had failed already, rolls everything back and returns fewer. */
    private List<BackendConnection> prepare(List<BackendConnection> others, BackendConnection decider, String gid) {
        List<BackendConnection> prepared = new ArrayList<>();
        for (BackendConnection other : others) {
            try {
                CallResult result = calls.call(other, "PREPARE TRANSACTION " + SqlName.literal(gid));
                if (!SchemaDdl.tag(result).equals("PREPARE TRANSACTION")) {
                    undo(others, decider, prepared, gid);
                    return List.of();
                }
                prepared.add(other);
            } catch (NodeError | SqlErrorException failed) {
                undo(others, decider, prepared, gid);
                throw failed;
            }
        }
        return prepared;
    }

    private void undo(
            List<BackendConnection> others, BackendConnection decider, List<BackendConnection> prepared, String gid) {
        calls.attempt(decider, "ROLLBACK");
        for (BackendConnection other : others) {
            calls.attempt(other, prepared.contains(other) ? "ROLLBACK PREPARED " + SqlName.literal(gid) : "ROLLBACK");
        }
    }

    private void decide(BackendConnection decider, List<BackendConnection> prepared, String gid) {
        try {
            calls.call(decider, "SELECT tenantry.record_commit(" + SqlName.literal(gid) + ")");
        } catch (NodeError | SqlErrorException refused) {
            undo(prepared, decider, prepared, gid);
            throw refused;
        }
        Optional<CallResult> committed = calls.attempt(decider, "COMMIT");
        if (committed.isEmpty()) {
            throw new SqlErrorException(SqlError.error("08007", "it is not known whether the transaction committed")
                    .withDetail("The coordinator was lost during COMMIT; transaction \"" + gid + "\" is prepared on"
                            + " the other nodes.")
                    .withHint("It is finished, one way or the other, when the coordinator is back. Look before you"
                            + " run it again."));
        }
        byte[] error = committed.get().error();
        if (error != null) {
            undo(prepared, decider, prepared, gid);
            throw new NodeError(error);
        }
    }

    private void finish(BackendConnection decider, List<BackendConnection> prepared, String gid) {
        boolean all = true;
        for (BackendConnection other : prepared) {
            Optional<CallResult> done = calls.attempt(other, "COMMIT PREPARED " + SqlName.literal(gid));
            if (done.isPresent() && "57014".equals(done.get().sqlState())) {
                // The client's cancel came when it was decided already.
                done = calls.attempt(other, "COMMIT PREPARED " + SqlName.literal(gid));
            }
            all &= done.isPresent() && done.get().isSuccess();
        }
        observer.reached(Point.AFTER_COMMIT_PREPARED);
        if (all) {
            calls.attempt(decider, "SELECT tenantry.forget_commit(" + SqlName.literal(gid) + ")");
        }
    }
}
