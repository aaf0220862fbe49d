package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.wire.SqlError;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The client's transaction block: which nodes it has touched, and the savepoints that a node that comes later must be
 * given.
 *
 * <p>BEGIN is not sent before a node is needed. As long as only statements ran that can run again elsewhere without
 * anyone noticing (SET, SHOW, SAVEPOINT, reads of catalogs), the block may still move to another node: it is rolled
 * back where it was and begun where it goes, with its savepoints and settings. After that it stays.
 *
 * <p>States: none -> open (no node) -> enlisted, movable -> enlisted, bound -> none; and failed, beside any of the open
 * ones, when an error of our own or the loss of a node ended what it could do. ROLLBACK TO SAVEPOINT helps against the
 * one, nothing against the other: what the lost node did before the savepoint is gone too. Not thread-safe; lives on
 * the client's event loop.
 */
public final class TransactionScope {
    private final List<Savepoint> savepoints = new ArrayList<>();
    private final Map<Integer, BackendConnection> participants = new LinkedHashMap<>();
    private final Map<BackendConnection, String> obstacles = new HashMap<>();
    private long ended;
    private boolean open;
    private boolean bound;
    private boolean failed;
    private boolean crippled;
    private boolean implicit;
    private boolean deadlocked;
    private boolean chained;
    private long begunNanos;
    private @Nullable BackendConnection main;
    private @Nullable SqlError loss;

    /**
     * An open savepoint.
     *
     * @param name as PostgreSQL compares it
     * @param text the statement that made it, one character a byte, in the encoding of its settings
     * @param settings the settings of the session at that moment, which ROLLBACK TO brings back
     */
    public record Savepoint(String name, String text, SessionSettings.State settings) {}

    /** BEGIN was accepted. */
    public void begin() {
        open = true;
        begunNanos = System.nanoTime();
    }

    /** When the block began, of {@link System#nanoTime()}; only while it is open. */
    public long begunNanos() {
        return begunNanos;
    }

    /** Statements of one batch or string that PostgreSQL would run in one implicit transaction span nodes. */
    public void beginImplicit() {
        begin();
        implicit = true;
    }

    /** Whether the block ends with the batch or string, because the client did not ask for it. */
    public boolean isImplicit() {
        return implicit;
    }

    /** BEGIN inside an implicit block makes it the client's own. */
    public void makeExplicit() {
        implicit = false;
    }

    /** A block was opened on this backend by a statement that went there as it was. */
    public void openedOn(BackendConnection backend, SessionSettings.State settings) {
        begin();
        enlist(backend, settings);
        main = backend;
        bound = true;
    }

    /** The block has ended. */
    public void end() {
        ended++;
        open = false;
        bound = false;
        failed = false;
        crippled = false;
        implicit = false;
        deadlocked = false;
        chained = false;
        main = null;
        loss = null;
        savepoints.clear();
        participants.clear();
        obstacles.clear();
    }

    /** The block has ended, and the next one has begun on the same node with it (AND CHAIN). */
    public void chain() {
        BackendConnection kept = main;
        end();
        begin();
        chained = true;
        if (kept != null) {
            participants.put(kept.node().nodeId(), kept);
            main = kept;
        }
    }

    /**
     * Whether AND CHAIN finds no modes of the block any more: a server that fails undoes what a transaction without
     * savepoints has done, the modes of its BEGIN included, but not those that AND CHAIN itself gave.
     */
    public boolean hasLostItsModes() {
        return status() == 'E' && !chained && savepoints.isEmpty();
    }

    /** Whether it has failed but a server that began it by BEGIN would forget modes that AND CHAIN has given it. */
    public boolean hasFailedChained() {
        return status() == 'E' && chained;
    }

    /** How many transactions have ended, those of single statements and batches included. */
    public long ended() {
        return ended;
    }

    /** The statement that runs is being cancelled to end a deadlock over several nodes. */
    public void deadlocked() {
        deadlocked = true;
    }

    /** Whether it is; asked when it has ended. */
    public boolean takeDeadlock() {
        boolean was = deadlocked;
        deadlocked = false;
        return was;
    }

    /** Whether the client is in a block. */
    public boolean isOpen() {
        return open;
    }

    /** Whether the block can only be rolled back, for a reason no node knows. */
    public boolean isFailed() {
        return failed || crippled;
    }

    /** Whether not even ROLLBACK TO SAVEPOINT helps, because a node is lost that had a part in the block. */
    public boolean isCrippled() {
        return crippled;
    }

    /** Whether the block can't move to another node any more. */
    public boolean isBound() {
        return bound;
    }

    /** The backend that runs the block's statements, or null before the first. */
    @Nullable
    public BackendConnection main() {
        return main;
    }

    /** Every backend that is in the block, in the order they came in. */
    public Collection<BackendConnection> participants() {
        return participants.values();
    }

    /** Whether ending the block needs more than one node. */
    public boolean isDistributed() {
        return participants.size() > 1;
    }

    /** Whether this backend is in the block. */
    public boolean isEnlisted(BackendConnection backend) {
        return participants.get(backend.node().nodeId()) == backend;
    }

    /** The backend is in the block from now on, with these settings. */
    public void enlist(BackendConnection backend, SessionSettings.State settings) {
        participants.put(backend.node().nodeId(), backend);
        backend.openLabel(settings);
    }

    /** The backend runs the block's statements from now on. */
    public void main(BackendConnection backend) {
        main = backend;
    }

    /** The backend's part can't be prepared, because a statement has used this there. */
    public void obstacle(BackendConnection backend, String used) {
        obstacles.put(backend, used);
    }

    /** What keeps the backend's part from being prepared, as far as statements have told; null if nothing. */
    @Nullable
    public String obstacle(BackendConnection backend) {
        return obstacles.get(backend);
    }

    /** A statement ran that can't be run again elsewhere. */
    public void bind() {
        bound = true;
    }

    /** SAVEPOINT has worked. */
    public void savepoint(Savepoint savepoint) {
        savepoints.add(savepoint);
    }

    /** The savepoints that are open, the outermost first. */
    public List<Savepoint> savepoints() {
        return savepoints;
    }

    /** Whether a savepoint of that name is open. */
    public boolean hasSavepoint(String name) {
        return lastSavepoint(name) >= 0;
    }

    /** RELEASE SAVEPOINT has worked. */
    public void release(String name) {
        int index = lastSavepoint(name);
        if (index >= 0) {
            savepoints.subList(index, savepoints.size()).clear();
        }
    }

    private int lastSavepoint(String name) {
        for (int i = savepoints.size() - 1; i >= 0; i--) {
            if (savepoints.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    /** The block leaves the node it was on. */
    public void leave() {
        participants.clear();
        obstacles.clear();
        main = null;
    }

    /** An error of our own: nothing but ROLLBACK, or ROLLBACK TO SAVEPOINT, can help now. */
    public void fail() {
        if (open) {
            failed = true;
        }
    }

    /** ROLLBACK TO SAVEPOINT has worked: what came after it, failed or not, is nothing that a later node must see. */
    public void rolledBackTo(String name) {
        failed = false;
        int index = lastSavepoint(name);
        if (index >= 0) {
            savepoints.subList(index + 1, savepoints.size()).clear();
        }
    }

    /** A backend is gone; with an error when the block has lost it and the next statement is to be told. */
    public void forget(BackendConnection backend, @Nullable SqlError error) {
        boolean was = participants.remove(backend.node().nodeId(), backend);
        if (main == backend) {
            main = null;
        }
        if (was && open) {
            crippled = true;
            loss = error;
        }
    }

    /** Why the block can't commit because one of its nodes is gone, or null when none is. */
    @Nullable
    public SqlError takeCrippling() {
        SqlError error = takeLoss();
        return error == null && crippled ? SqlErrors.aborted() : error;
    }

    /** What a statement is told that can't run because the block has failed: the first why a node is gone. */
    public SqlError whyFailed() {
        return whyFailed(SqlErrors.aborted());
    }

    /** The same; {@code otherwise} when that has been told, or is no loss. */
    public SqlError whyFailed(SqlError otherwise) {
        SqlError error = takeLoss();
        return error == null ? otherwise : error;
    }

    /** Why a node of the block is gone, once. */
    @Nullable
    public SqlError takeLoss() {
        SqlError error = loss;
        loss = null;
        return error;
    }

    /** What ReadyForQuery tells the client. */
    public byte status() {
        if (!open) {
            return 'I';
        }
        return isFailed() || hasFailedNode() ? (byte) 'E' : (byte) 'T';
    }

    /** Whether a statement has failed on one of the nodes, so that nothing may run on the others either. */
    public boolean hasFailedNode() {
        for (BackendConnection participant : participants.values()) {
            if (participant.status() == 'E') {
                return true;
            }
        }
        return false;
    }

    /** What ReadyForQuery tells the client when the block's backend says this. */
    public byte status(byte backendStatus) {
        return isFailed() && open ? (byte) 'E' : backendStatus;
    }
}
