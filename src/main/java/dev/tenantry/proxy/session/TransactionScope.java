package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.sql.SqlName;
import dev.tenantry.wire.SqlError;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The client's transaction block: which nodes it has touched and what a node that comes later must be told first.
 *
 * <p>BEGIN is not sent before a node is needed. As long as only statements ran that can run again elsewhere without
 * anyone noticing (SET, SHOW, SAVEPOINT, reads of catalogs), the block may still move to another node: it is rolled
 * back where it was and its prologue is run where it goes. After that it stays.
 *
 * <p>States: none -> open (no node) -> enlisted, movable -> enlisted, bound -> none; and failed, beside any of the open
 * ones, when an error of our own or the loss of a node ended what it could do. Not thread-safe; lives on the client's
 * event loop.
 */
public final class TransactionScope {
    /** Statements that a block may collect and still move; more bind it. */
    public static final int PROLOGUE_MAX = 1_000;

    private final List<String> prologue = new ArrayList<>();
    private final List<Savepoint> savepoints = new ArrayList<>();
    private final Map<Integer, BackendConnection> participants = new LinkedHashMap<>();
    private boolean open;
    private boolean bound;
    private boolean failed;
    private boolean implicit;
    private @Nullable BackendConnection main;
    private @Nullable SqlError loss;

    /** A savepoint, and how much of the prologue leads to it. */
    private record Savepoint(String name, int prologueSize) {}

    /** BEGIN was accepted; its text is what nodes are sent. */
    public void begin(String text) {
        open = true;
        prologue.clear();
        prologue.add(text);
    }

    /** Statements of one batch or string that PostgreSQL would run in one implicit transaction span nodes. */
    public void beginImplicit() {
        begin("BEGIN");
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

    /** A block was opened on this backend by a statement that went there as it was; its text, as far as we know it. */
    public void openedOn(BackendConnection backend, String text) {
        begin(text);
        enlist(backend);
        main = backend;
        bound = true;
    }

    /** The block has ended. */
    public void end() {
        open = false;
        bound = false;
        failed = false;
        implicit = false;
        main = null;
        loss = null;
        prologue.clear();
        savepoints.clear();
        participants.clear();
    }

    /** The block has ended and the next one has begun with the same modes (AND CHAIN). */
    public void chain() {
        String begin = prologue.isEmpty() ? "BEGIN" : prologue.getFirst();
        BackendConnection kept = main;
        end();
        begin(begin);
        if (kept != null) {
            enlist(kept);
            main = kept;
        }
    }

    /** Whether the client is in a block. */
    public boolean isOpen() {
        return open;
    }

    /** Whether the block can only be rolled back, for a reason no node knows. */
    public boolean isFailed() {
        return failed;
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

    /** Whether this backend has been sent the prologue. */
    public boolean isEnlisted(BackendConnection backend) {
        return participants.get(backend.node().nodeId()) == backend;
    }

    /** The backend is sent the prologue now. */
    public void enlist(BackendConnection backend) {
        participants.put(backend.node().nodeId(), backend);
    }

    /** The backend runs the block's statements from now on. */
    public void main(BackendConnection backend) {
        main = backend;
    }

    /** A statement ran that can't be run again elsewhere. Nodes that come later are sent BEGIN and the savepoints. */
    public void bind() {
        if (!bound) {
            bound = true;
            prologue.subList(1, prologue.size()).clear();
        }
    }

    /** SAVEPOINT has worked. */
    public void savepoint(String name) {
        savepoints.add(new Savepoint(name, prologue.size()));
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

    /** A statement ran that a later node must be sent as well. */
    public void remember(String statement) {
        if (prologue.size() < PROLOGUE_MAX) {
            prologue.add(statement);
        } else {
            bind();
        }
    }

    /** What a node must be sent before its first statement; the first is BEGIN. */
    public List<String> prologue() {
        if (!bound || savepoints.isEmpty()) {
            return prologue;
        }
        List<String> statements = new ArrayList<>(prologue);
        savepoints.forEach(savepoint -> statements.add("SAVEPOINT " + SqlName.quoted(savepoint.name())));
        return statements;
    }

    /** The block leaves the node it was on. */
    public void leave() {
        participants.clear();
        main = null;
    }

    /** Nothing but ROLLBACK can help now. */
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
            int size = savepoints.get(index).prologueSize();
            savepoints.subList(index + 1, savepoints.size()).clear();
            if (!bound && size < prologue.size()) {
                prologue.subList(size, prologue.size()).clear();
            }
        }
    }

    /** A backend is gone; with an error when the block has lost it and the next statement is to be told. */
    public void forget(BackendConnection backend, @Nullable SqlError error) {
        boolean was = participants.remove(backend.node().nodeId(), backend);
        if (main == backend) {
            main = null;
        }
        if (was && open) {
            failed = true;
            loss = error;
        }
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
        if (failed) {
            return 'E';
        }
        for (BackendConnection participant : participants.values()) {
            if (participant.status() == 'E') {
                return 'E';
            }
        }
        return 'T';
    }

    /** What ReadyForQuery tells the client when the block's backend says this. */
    public byte status(byte backendStatus) {
        return failed && open ? (byte) 'E' : backendStatus;
    }
}
