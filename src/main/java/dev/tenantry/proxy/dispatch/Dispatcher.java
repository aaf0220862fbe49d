package dev.tenantry.proxy.dispatch;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.backend.BackendLost;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.ReplyLedger;
import dev.tenantry.proxy.session.SessionBackends;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Gets a node's backend ready for the session's next statement: opened, with the session's settings, inside the
 * session's transaction. One backend is talked to at a time; going to another waits until everything owed has been
 * answered. Lives on the client's event loop.
 */
public final class Dispatcher {
    private static final System.Logger LOG = System.getLogger(Dispatcher.class.getName());

    private final ReplyLedger ledger;
    private final SessionSettings settings;
    private final TransactionScope transaction;
    private final SessionBackends backends;
    private final BackendPreparation preparation;
    private final Owner owner;
    private boolean busy;
    private boolean occupied;
    private boolean cancelled;
    private volatile boolean ending;
    private @Nullable CompletableFuture<Void> afterEnding;
    private @Nullable SqlError failure;
    private final PauseWaits pauses;
    private @Nullable CompletableFuture<Boolean> pause;
    private @Nullable Long pauseEnd;

    /** What the dispatcher asks of its session. */
    public interface Owner extends BackendListener {
        /** Something that a message waited for has happened. */
        void resume();

        /** Hands over client messages that were decided on, so that the next bytes written come behind them. */
        void flushClientRun();

        /** The session can't go on; the client is told. */
        void end(SqlError error);

        /** A statement that the session carried out itself has worked. */
        void settle(Effects.Confirmed effect, String tag);

        /** The client's messages go to this backend now. */
        void activated(BackendConnection backend);
    }

    public Dispatcher(
            ReplyLedger ledger,
            SessionSettings settings,
            TransactionScope transaction,
            SessionBackends backends,
            PauseWaits pauses,
            Owner owner) {
        this.ledger = ledger;
        this.settings = settings;
        this.transaction = transaction;
        this.backends = backends;
        this.pauses = pauses;
        this.owner = owner;
        this.preparation = new BackendPreparation(settings, transaction, backends, owner);
    }

    /** Whether something runs that the client's next message must wait for. */
    public boolean isBusy() {
        return busy;
    }

    /** The client's messages wait until {@link #free()}. */
    public void occupy() {
        busy = true;
        occupied = true;
    }

    /** Whether somebody works with the session's backends on a thread of their own. */
    public boolean isOccupied() {
        return occupied;
    }

    /** What {@link #occupy()} is for has come to ending the transaction, which is not cut short; any thread. */
    public void ending() {
        ending = true;
    }

    /** Whether {@link #ending()} was called. */
    public boolean isEnding() {
        return ending;
    }

    /** Completes when no transaction is being ended: it has already, or does with {@link #free()}. */
    public CompletableFuture<Void> afterEnding() {
        CompletableFuture<Void> over = new CompletableFuture<>();
        if (occupied && ending) {
            afterEnding = over;
        } else {
            over.complete(null);
        }
        return over;
    }

    /** What {@link #occupy()} was for is done. */
    public void free() {
        busy = false;
        occupied = false;
        ending = false;
        cancelled = false;
        owner.resume();
        CompletableFuture<Void> over = afterEnding;
        if (over != null) {
            over.complete(null);
        }
    }

    /** What runs is to fail: the client has cancelled the statement that waits for it. */
    public void cancel() {
        cancelled = busy;
        giveUpPause();
    }

    /**
     * The message waits for the end of a pause; it is looked at again then. One pause may follow another: the limit is
     * for all that the message waits for before {@link #goesOn()}.
     */
    public void await(Pause until) {
        long end = pauseEnd == null ? pauses.end() : pauseEnd;
        CompletableFuture<Boolean> over = pauses.begin(until, end, backends.loop());
        pauseEnd = end;
        pause = over;
        run(over, done -> pause = null);
    }

    /** The message does not wait for the end of a pause any more. */
    public void goesOn() {
        pauseEnd = null;
    }

    /** Whether a message waits for the end of a pause. */
    public boolean isWaitingForPause() {
        return pause != null && !pause.isDone();
    }

    /** If the message waits for the end of a pause, it waits no more. */
    public void giveUpPause() {
        CompletableFuture<Boolean> waiting = pause;
        pause = null;
        if (waiting != null) {
            waiting.completeExceptionally(new SqlErrorException(SqlErrors.cancelled()));
        }
    }

    /** Whether the client has cancelled the statement that what runs is for. */
    public boolean isCancelled() {
        return cancelled;
    }

    /**
     * Why the step has failed that the message waited for which is looked at again now; told once. Whatever the message
     * would need now, this is its answer.
     */
    @Nullable
    public SqlError takeFailure() {
        SqlError told = failure;
        if (told != null) {
            failure = null;
            transaction.takeLoss(); // if it is why the block has failed, it is told now
        }
        return told;
    }

    /**
     * The backend of a node, ready for the next statement, which becomes the active one.
     *
     * @return null when the session must wait; it is resumed
     * @throws SqlErrorException when the statement can't go there
     */
    @Nullable
    public BackendConnection ready(Node node) {
        BackendConnection active = backends.active();
        if (active != null
                && active.node().nodeId() == node.nodeId()
                && !active.isClosed()
                && preparation.isCurrent(active)) {
            if (transaction.isOpen() && !busy) {
                transaction.main(active);
            }
            return busy ? null : active;
        }
        if (busy) {
            return null;
        }
        keepBatch();
        return isQuiet() ? approach(node) : null;
    }

    /** Ends an open batch and says whether everything owed has been answered; if not, the session is resumed then. */
    public boolean isQuiet() {
        owner.flushClientRun();
        if (backends.isUnsynced() || ledger.endsInBegin()) {
            ledger.expect(Expected.SYNC, true, null);
            inject(FrontendType.SYNC);
            backends.synced();
        }
        BackendConnection active = backends.active();
        if (!ledger.isEmpty() && active != null) {
            active.flush();
        }
        return ledger.isEmpty();
    }

    /**
     * What the client's open batch has executed becomes the beginning of a block that ends with the batch, so that what
     * other nodes do for the rest of it is undone with it, and it with them.
     */
    public void keepBatch() {
        BackendConnection active = backends.active();
        if (active == null || transaction.isOpen() || !backends.isUnsynced() || !backends.isExecuted()) {
            return;
        }
        owner.flushClientRun();
        transaction.beginImplicit();
        ByteBuf out = active.channel().alloc().buffer(64);
        FrontendMessages.query(out, preparation.begin());
        ledger.expect(Expected.BEGIN_QUERY, true, null);
        begin(out, active);
        transaction.bind();
    }

    /**
     * Sends BEGIN before the client's next message. No Sync comes behind it: if it fails, because a cancel meets it,
     * the server does not come to that message, which would run outside the block.
     */
    private void begin(BackendConnection backend) {
        byte[] sql = preparation.begin().getBytes(StandardCharsets.US_ASCII);
        ByteBuf out = backend.channel().alloc().buffer(96);
        FrontendMessages.parse(out, "", sql, 0, sql.length);
        ledger.expect(Expected.BEGIN_STEP, true, null);
        FrontendMessages.bind(out, "");
        ledger.expect(Expected.BEGIN_STEP, true, null);
        FrontendMessages.execute(out);
        ledger.expect(Expected.BEGIN, true, null);
        FrontendMessages.closeUnnamed(out); // or the client might bind it
        ledger.expect(Expected.BEGIN_STEP, true, null);
        begin(out, backend);
    }

    /** Closes the unnamed portal before the client's next message: it may be that of a BEGIN of ours. */
    public void closeOwnPortal(BackendConnection backend) {
        owner.flushClientRun();
        ByteBuf out = backend.channel().alloc().buffer(8);
        FrontendMessages.closeUnnamedPortal(out);
        ledger.expect(Expected.CLOSE, true, null);
        backend.write(out);
    }

    private void begin(ByteBuf messages, BackendConnection backend) {
        backend.write(messages);
        backend.prepared().remove(""); // which they have ended
        transaction.enlist(backend, settings.current());
        enlisted(backend);
    }

    /** Asks the backend for the replies of an open batch. */
    public void flushBatch() {
        owner.flushClientRun();
        BackendConnection active = backends.active();
        if (active != null && (backends.needsFlush() || ledger.endsInBegin())) {
            inject(FrontendType.FLUSH);
        }
        if (active != null) {
            active.flush();
        }
    }

    /** The preparation of backends, for statements that use several. */
    public BackendPreparation preparation() {
        return preparation;
    }

    /** Sends a bodiless message to the active backend, behind the client's own. */
    public void inject(byte type) {
        BackendConnection active = backends.active();
        if (active != null) {
            ByteBuf out = active.channel().alloc().buffer(5);
            FrontendMessages.bodiless(out, type);
            active.write(out);
        }
    }

    private @Nullable BackendConnection approach(Node node) {
        BackendConnection target = backends.of(node);
        BackendConnection main = transaction.main();
        boolean enlisted = target != null && transaction.isEnlisted(target);
        boolean alive = target == null || !enlisted || target.status() != 'E';
        if (alive && (enlisted ? transaction.hasFailedNode() : transaction.status() == 'E')) {
            throw new SqlErrorException(transaction.whyFailed()); // going on would bring the failed block back to life
        }
        if (transaction.isOpen() && main != null && !enlisted && !transaction.isBound()) {
            run(main.call("ROLLBACK"), this::rolledBack);
            return null;
        }
        if (target == null || target.isClosed() || !preparation.isLight(target)) {
            run(preparation.prepare(node), this::enlisted);
            return null;
        }
        activate(target);
        if (transaction.isOpen() && !enlisted) {
            begin(target);
        }
        enlisted(target);
        return target;
    }

    /** A cancel may have kept ROLLBACK from beginning: then the block is still there, and has failed. */
    private void rolledBack(CallResult result) {
        if (result.isSuccess()) {
            transaction.leave();
        }
    }

    private void enlisted(BackendConnection backend) {
        if (transaction.isOpen()) {
            transaction.main(backend);
        }
    }

    private BackendConnection activate(BackendConnection target) {
        if (backends.active() != target) {
            owner.flushClientRun();
            backends.activate(target);
            owner.activated(target);
        }
        return target;
    }

    /**
     * Waits for something; the message that needs it is looked at again afterwards, and fails if this has failed: see
     * {@link #takeFailure()}.
     */
    public <T> void run(CompletableFuture<T> step, Consumer<T> then) {
        busy = true;
        BiConsumer<T, Throwable> done = (result, problem) -> {
            try {
                ran(result, problem, then);
            } catch (RuntimeException ours) {
                LOG.log(System.Logger.Level.ERROR, "session failed", ours); // nobody else would ever hear of it
                owner.end(SqlError.fatal("XX000", "internal error"));
            }
        };
        if (step.isDone()) {
            // An idle connection is there at once, but the message has yet to be told to wait before it can go on.
            step.whenCompleteAsync(done, backends.loop());
        } else {
            step.whenComplete(done);
        }
    }

    private <T> void ran(T result, @Nullable Throwable problem, Consumer<T> then) {
        boolean unwanted = cancelled;
        busy = false;
        cancelled = false;
        if (problem != null) {
            goesOn();
            failure = told(problem);
        } else {
            then.accept(result);
            failure = unwanted ? SqlErrors.cancelled() : null;
        }
        if (!transaction.isImplicit()) {
            tellParameters(); // else when the batch or string ends, because it may undo them
        }
        owner.resume();
        if (!isWaitingForPause()) {
            goesOn();
        }
    }

    /** A call of our own may have changed what the active backend reports. */
    private void tellParameters() {
        BackendConnection active = backends.active();
        if (active != null) {
            owner.activated(active);
        }
    }

    /** What the client is told of a step that failed. */
    public static SqlError told(Throwable problem) {
        Throwable cause =
                problem instanceof CompletionException && problem.getCause() != null ? problem.getCause() : problem;
        return switch (cause) {
            case BackendRefused refused -> SqlErrors.asStatementError(refused.error());
            case BackendLost lost -> SqlErrors.lost(lost.node());
            case SqlErrorException refused -> refused.error();
            default -> throw new IllegalStateException(cause);
        };
    }
}
