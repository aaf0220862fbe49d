package dev.tenantry.proxy.cluster;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.sql.SqlName;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Ends a transaction that may have used several nodes. Runs on a virtual thread.
 *
 * <p>Commit: each node says whether the transaction has written there, and under which number. When several have
 * written, PREPARE TRANSACTION on every writer but one, the decider, whose number is part of the id; then the decider
 * notes the id in its {@code tenantry.commit_record} in its own transaction, whose COMMIT is the decision; then COMMIT
 * PREPARED on the others. Recovery removes the record, and, whatever dies in between, finishes by asking for it. The
 * decider is the coordinator if it has written, so that the catalog never shows what is undecided, else the writer that
 * came last. One writer alone just commits.
 *
 * <p>Those that have only read commit behind the decision; serializable ones before it, because their COMMIT may still
 * find that what they have read can't be.
 */
public final class DistributedEnd {
    /** The transaction's number if it has written, whether it is serializable, and why it can't be prepared. */
    private static final String PART = "SELECT * FROM tenantry.transaction_part()";

    private static final String COMMIT = "COMMIT";
    private static final String ROLLBACK = "ROLLBACK";
    private static final String QUERY_CANCELED = "57014";

    /** What COMMIT PREPARED says of a transaction that another session is just finishing. */
    private static final String BUSY = "55000";

    /** What it says of one that is finished: by the connection that was lost, or by recovery. */
    private static final String UNDEFINED_OBJECT = "42704";

    private static final long FINISH_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);
    private static final long PAUSE_MILLIS = 5;
    private static final long PAUSE_MAX = 200;

    /** A cancel that comes late may hit what ends a block, which leaves it open; each request hits once. */
    private static final int ROLLBACKS_MAX = 3;

    /** Where a test may stop the world. */
    public enum Point {
        BEFORE_PREPARE,
        AFTER_PREPARE,
        AFTER_DECISION,
        AFTER_COMMIT_PREPARED
    }

    /** Told when each point is reached; does nothing outside tests. */
    public interface Observer {

        /** Nobody looks. */
        Observer NONE = point -> {};

        /** On the thread of the commit. */
        void reached(Point point);
    }

    /** What keeps a participant from being prepared, as far as its session knows; null if nothing. */
    interface Obstacles {
        @Nullable
        String of(BackendConnection participant);
    }

    /**
     * As whom a participant's part is prepared, because only that role may finish it. It is the role that the session
     * had when it used that participant last.
     *
     * @param name as SET ROLE takes it; null for the one that a new connection has
     * @param local whether the transaction has set it for itself, so that it has ended with PREPARE
     */
    private record Role(@Nullable String name, boolean local) {

        static Role of(BackendConnection participant) {
            return participant.openLabel() instanceof SessionSettings.State had
                    ? new Role(had.role(), had.local().containsKey(SessionSettings.ROLE))
                    : new Role(null, false);
        }
    }

    /** A participant that has written, its transaction's number there, and why it can't be prepared, if it can't. */
    private record Writer(
            BackendConnection backend,
            long transaction,
            @Nullable String obstacle) {

        boolean isOnCoordinator() {
            return backend.node().isCoordinator();
        }
    }

    private final NodeCalls calls;
    private final ClusterServices services;
    private final Observer observer;
    private final Obstacles obstacles;

    /** An end that has not begun. */
    DistributedEnd(NodeCalls calls, ClusterServices services, Obstacles obstacles) {
        this.calls = calls;
        this.services = services;
        this.observer = services.observer();
        this.obstacles = obstacles;
    }

    /** Undoes all that is still open; nodes that can't be reached have undone it themselves. */
    public void rollback(List<BackendConnection> participants) {
        List<BackendConnection> open = open(participants);
        for (int i = 0; i < ROLLBACKS_MAX && !open.isEmpty(); i++) {
            calls.attemptAll(open, ROLLBACK);
            open = open(open);
        }
        open.forEach(BackendConnection::close);
    }

    private static List<BackendConnection> open(List<BackendConnection> participants) {
        return participants.stream()
                .filter(backend -> !backend.isClosed() && backend.status() != BackendConnection.IDLE)
                .toList();
    }

    /**
     * Commits; whatever comes of it, no participant is in the transaction any more.
     *
     * @return the tag: ROLLBACK when the transaction had failed
     * @throws NodeError when a node can't commit; everything is undone
     * @throws SqlErrorException when a node is lost: everything is undone, or, 08007, it is not known what became of it
     */
    public String commit(List<BackendConnection> participants) {
        try {
            return participants.size() == 1
                    ? SchemaDdl.tag(calls.commit(participants.getFirst()))
                    : commitSeveral(participants);
        } finally {
            rollback(participants); // those that a failure, or a cancel before their COMMIT began, has left open
        }
    }

    private String commitSeveral(List<BackendConnection> participants) {
        List<Writer> writers = new ArrayList<>();
        List<BackendConnection> readers = new ArrayList<>();
        List<BackendConnection> serializable = new ArrayList<>();
        List<CallResult> written = calls.callAll(participants, PART);
        for (int i = 0; i < participants.size(); i++) {
            List<@Nullable String> row = written.get(i).rows().getFirst();
            String transaction = row.getFirst();
            if (transaction != null) {
                BackendConnection backend = participants.get(i);
                String known = obstacles.of(backend);
                writers.add(new Writer(backend, Long.parseLong(transaction), known != null ? known : row.get(2)));
            } else {
                ("t".equals(row.get(1)) ? serializable : readers).add(participants.get(i));
            }
        }
        serializable.forEach(calls::commit);
        boolean committed = writers.size() == 1
                ? SchemaDdl.tag(calls.commit(writers.getFirst().backend())).equals(COMMIT)
                : writers.isEmpty() || commitWriters(writers);
        if (committed) {
            readers.forEach(reader -> calls.attemptToCommit(reader, COMMIT));
        }
        return committed ? COMMIT : ROLLBACK;
    }

    /** Commits on all of several, or on none and says no. */
    private boolean commitWriters(List<Writer> writers) {
        Writer decider = decider(writers);
        String gid = services.nextGid(decider.backend().node().nodeId(), decider.transaction());
        List<BackendConnection> others = writers.stream()
                .filter(writer -> writer != decider)
                .map(Writer::backend)
                .toList();
        observer.reached(Point.BEFORE_PREPARE);
        if (!prepare(others, gid)) {
            return false;
        }
        observer.reached(Point.AFTER_PREPARE);
        decide(decider.backend(), others, gid);
        observer.reached(Point.AFTER_DECISION);
        others.forEach(other -> commitPrepared(other, gid));
        observer.reached(Point.AFTER_COMMIT_PREPARED);
        return true;
    }

    /**
     * The writer that is not prepared.
     *
     * @throws SqlErrorException when two can't be
     */
    private static Writer decider(List<Writer> writers) {
        List<Writer> stuck =
                writers.stream().filter(writer -> writer.obstacle() != null).toList();
        if (stuck.size() > 1) {
            Writer first = stuck.getFirst();
            Writer second = stuck.get(1);
            throw new SqlErrorException(SqlError.error("0A000", "the transaction can't be committed on both its nodes")
                    .withDetail("Only one node's part can be committed without being prepared, but node \""
                            + first.backend().node().name() + "\" has used " + first.obstacle() + " and node \""
                            + second.backend().node().name() + "\" " + second.obstacle() + ".")
                    .withHint("Use them in transactions of their own."));
        }
        return stuck.isEmpty()
                ? writers.stream().filter(Writer::isOnCoordinator).findFirst().orElse(writers.getLast())
                : stuck.getFirst();
    }

    /** Prepares all at the same time; when one had failed already, none, and says no. */
    private boolean prepare(List<BackendConnection> others, String gid) {
        List<Optional<CallResult>> results =
                calls.attemptToCommitAll(others, "PREPARE TRANSACTION " + SqlName.literal(gid));
        List<BackendConnection> prepared = new ArrayList<>();
        List<BackendConnection> lost = new ArrayList<>();
        for (int i = 0; i < others.size(); i++) {
            CallResult result = results.get(i).orElse(null);
            if (result != null && result.isSuccess() && SchemaDdl.tag(result).equals("PREPARE TRANSACTION")) {
                prepared.add(others.get(i));
            } else if (result == null) {
                lost.add(others.get(i)); // the server may have prepared it, or be about to
            }
        }
        if (prepared.size() == others.size()) {
            return true;
        }
        undo(prepared, lost, gid);
        calls.checkAll(others, results); // tells why, if it is not that a part had failed before
        return false;
    }

    private void undo(List<BackendConnection> prepared, List<BackendConnection> lost, String gid) {
        List<BackendConnection> left = new ArrayList<>(lost);
        String rollback = "ROLLBACK PREPARED " + SqlName.literal(gid);
        prepared.stream().filter(other -> !isFinished(finish(other, rollback))).forEach(left::add);
        if (!left.isEmpty()) {
            leave(gid, left);
        }
    }

    /** What this proxy can't end itself others need not wait for. */
    private void leave(String gid, List<BackendConnection> left) {
        services.lost()
                .leave(gid, left.stream().map(other -> other.node().nodeId()).collect(Collectors.toSet()));
    }

    private void decide(BackendConnection decider, List<BackendConnection> prepared, String gid) {
        String nodes = prepared.stream()
                .map(other -> Integer.toString(other.node().nodeId()))
                .collect(Collectors.joining(","));
        // COMMIT is not reached when the record can't be written.
        Optional<CallResult> committed = calls.attemptToCommit(
                decider, "SELECT tenantry.record_commit(" + SqlName.literal(gid) + ", '{" + nodes + "}'); " + COMMIT);
        if (committed.isEmpty()) {
            leave(gid, prepared);
            throw new SqlErrorException(SqlError.error("08007", "it is not known whether the transaction committed")
                    .withDetail("Node \"" + decider.node().name() + "\" was lost during COMMIT; transaction '" + gid
                            + "' is prepared on the other nodes.")
                    .withHint("It is finished, one way or the other, when that node is back. Look before you run it"
                            + " again."));
        }
        byte[] error = committed.get().error();
        if (error != null && !committed.get().tags().contains(COMMIT)) {
            undo(prepared, List.of(), gid);
            throw new NodeError(error);
        }
    }

    /**
     * What is decided is what others find when the client has been told so. Where the connection has ended meanwhile,
     * the node is told by another one, as soon as it takes one; if it does not for too long, recovery will.
     */
    private void commitPrepared(BackendConnection other, String gid) {
        String sql = "COMMIT PREPARED " + SqlName.literal(gid);
        long until = System.nanoTime() + FINISH_NANOS_MAX;
        Optional<CallResult> done = finish(other, sql);
        for (long pause = PAUSE_MILLIS; !isFinished(done); pause = Math.min(2 * pause, PAUSE_MAX)) {
            boolean late = System.nanoTime() - until >= 0;
            if (late || calls.isForNobody() || !isWorthRepeating(done) || !slept(pause)) {
                leave(gid, List.of(other));
                calls.note(SqlError.warning("01000", "a part of the transaction is committed later")
                        .withDetail("Node \"" + other.node().name()
                                + "\" was lost when the transaction was decided already. What was written there is seen"
                                + " soon after the node is back."));
                return;
            }
            done = calls.attemptAnew(other.node(), sql, Role.of(other).name(), until);
        }
    }

    private static boolean isFinished(Optional<CallResult> done) {
        return done.filter(result -> result.isSuccess() || UNDEFINED_OBJECT.equals(result.sqlState()))
                .isPresent();
    }

    private static boolean isWorthRepeating(Optional<CallResult> done) {
        return done.isEmpty()
                || BUSY.equals(done.get().sqlState())
                || QUERY_CANCELED.equals(done.get().sqlState());
    }

    private static boolean slept(long millis) {
        try {
            Thread.sleep(millis);
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private Optional<CallResult> finish(BackendConnection other, String sql) {
        Optional<CallResult> done = finishOnce(other, sql);
        boolean cancelled =
                done.map(CallResult::sqlState).filter(QUERY_CANCELED::equals).isPresent();
        return cancelled ? finishOnce(other, sql) : done; // the client's cancel came when it was decided already
    }

    private Optional<CallResult> finishOnce(BackendConnection other, String sql) {
        Role role = Role.of(other);
        return calls.attempt(other, sql, role.local() ? role.name() : null, System.nanoTime() + FINISH_NANOS_MAX);
    }
}
