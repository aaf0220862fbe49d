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
import java.util.stream.Collectors;

/**
 * Ends a transaction that may have used several nodes. Runs on a virtual thread.
 *
 * <p>Commit, when there are several: the coordinator says which transaction it is in, which becomes part of the id;
 * PREPARE TRANSACTION on every node but the coordinator; then the coordinator notes the id in
 * {@code tenantry.commit_record} in that transaction, whose COMMIT is the decision; then COMMIT PREPARED on the others.
 * Recovery removes the record, and, whatever dies in between, finishes by asking for it.
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
    private final ClusterServices services;
    private final Observer observer;

    DistributedEnd(NodeCalls calls, ClusterServices services) {
        this.calls = calls;
        this.services = services;
        this.observer = services.observer();
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
    public String commit(List<BackendConnection> participants, Node coordinator) {
        if (participants.size() == 1) {
            return SchemaDdl.tag(calls.call(participants.getFirst(), "COMMIT"));
        }
        BackendConnection decider = participants.stream()
                .filter(backend -> backend.node().nodeId() == coordinator.nodeId())
                .findFirst()
                .orElseThrow();
        List<BackendConnection> others = new ArrayList<>(participants);
        others.remove(decider);
        String gid = identify(participants, decider);
        observer.reached(Point.BEFORE_PREPARE);
        List<BackendConnection> prepared = prepare(others, decider, gid);
        if (prepared.size() < others.size()) {
            return "ROLLBACK";
        }
        observer.reached(Point.AFTER_PREPARE);
        decide(decider, prepared, gid);
        observer.reached(Point.AFTER_DECISION);
        finish(prepared, gid);
        return "COMMIT";
    }

    /** The transaction's id, which names the decider's transaction: no other can write the record of it. */
    private String identify(List<BackendConnection> participants, BackendConnection decider) {
        try {
            String transaction = calls.call(decider, "SELECT pg_catalog.pg_current_xact_id()")
                    .rows()
                    .getFirst()
                    .getFirst();
            return services.nextGid(decider.node().nodeId(), Long.parseLong(String.valueOf(transaction)));
        } catch (NodeError | SqlErrorException failed) {
            rollback(participants);
            throw failed;
        }
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
            String nodes = prepared.stream()
                    .map(other -> Integer.toString(other.node().nodeId()))
                    .collect(Collectors.joining(","));
            calls.call(decider, "SELECT tenantry.record_commit(" + SqlName.literal(gid) + ", '{" + nodes + "}')");
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

    private void finish(List<BackendConnection> prepared, String gid) {
        for (BackendConnection other : prepared) {
            Optional<CallResult> done = calls.attempt(other, "COMMIT PREPARED " + SqlName.literal(gid));
            if (done.isPresent() && "57014".equals(done.get().sqlState())) {
                // The client's cancel came when it was decided already.
                calls.attempt(other, "COMMIT PREPARED " + SqlName.literal(gid));
            }
        }
        observer.reached(Point.AFTER_COMMIT_PREPARED);
    }
}
