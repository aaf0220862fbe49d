package dev.tenantry.proxy.server;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.FrameCutter;
import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.proxy.query.ExtendedQueries;
import dev.tenantry.proxy.query.OwnStatements;
import dev.tenantry.proxy.query.PauseGate;
import dev.tenantry.proxy.query.QueryTools;
import dev.tenantry.proxy.query.SimpleQueries;
import dev.tenantry.proxy.query.Statements;
import dev.tenantry.proxy.query.StringRun;
import dev.tenantry.proxy.session.ClientOutlet;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.PreparedStatements;
import dev.tenantry.proxy.session.Replies;
import dev.tenantry.proxy.session.ReplyLedger;
import dev.tenantry.proxy.session.SessionBackends;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.ProtocolViolation;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * One client's conversation after start-up: takes its messages in order, hands each to who knows what to do with it,
 * and goes on when what a message waited for has happened. All of it on the client's event loop.
 */
final class ClientSession implements FrameHandler, BackendListener, Dispatcher.Owner, BackendRelay.RelayEvents {
    private final ClientOutlet client;
    private final Conversation session;
    private final SessionContext context;
    private final Effects effects;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final SimpleQueries simple;
    private final ExtendedQueries extended;
    private final StringRun strings;
    private final SessionLimits limits;
    private final ProxyMetrics metrics;
    private final BackendRelay.ClientParameters told = new BackendRelay.ClientParameters();
    private final FrameCutter cutter;
    private final CopyInput copy;
    private final Cancellation cancellation;
    private final Occupancy occupancy;
    private final Departure departure;
    private final PauseGate pauses;
    private final SessionPortrait portrait;
    private final AnswerTimer timer;
    private final SessionTimeouts timeouts;
    private boolean ended;

    ClientSession(SessionOpening opening, ClientOutlet client, SharedServices shared) {
        this.client = client;
        this.limits = shared.limits();
        this.metrics = shared.metrics();
        this.timer = new AnswerTimer(metrics);
        SessionBackends backends = opening.backends();
        ReplyLedger ledger = new ReplyLedger();
        SessionSettings settings = new SessionSettings(opening.startupSettings(), opening.begunSettings());
        TransactionScope transaction = new TransactionScope();
        CatalogOverlay catalog = new CatalogOverlay(shared.cluster().feed());
        PreparedStatements statements = new PreparedStatements(catalog::number);
        Replies replies = new Replies(client, ledger, backends, metrics::error);
        this.session = new Conversation(ledger, settings, transaction, statements, backends, replies);
        this.context = new SessionContext(opening.user(), settings, transaction, backends, statements, catalog);
        this.effects = new Effects(settings, transaction, statements, catalog);
        this.dispatcher = new Dispatcher(ledger, settings, transaction, backends, shared.pauses(), this);
        this.cluster = new ClusterStatements(session, dispatcher, this, context, catalog, shared.cluster());
        this.pauses = new PauseGate(session, context, dispatcher);
        Statements routed = new Statements(session, dispatcher, context, metrics, pauses);
        OwnStatements own = new OwnStatements(session, context, routed, dispatcher, shared.own());
        QueryTools tools = new QueryTools(session, context, routed, shared.analyzer(), dispatcher, cluster, own);
        this.simple = new SimpleQueries(tools);
        this.extended = new ExtendedQueries(tools);
        this.strings = new StringRun(tools, simple);
        simple.strings(strings);
        this.copy = new CopyInput(session, client, this::end);
        this.cancellation = new Cancellation(session, dispatcher, strings, this::resume);
        this.cutter = new FrameCutter(this, client.allocator());
        this.occupancy = new Occupancy(session, dispatcher, strings, cancellation, timer, cutter);
        this.portrait = new SessionPortrait(session, context, occupancy, timer);
        this.departure = new Departure(occupancy, cancellation, this::end);
        this.timeouts = new SessionTimeouts(session, occupancy, timer, this::end);
        backends.belongTo(this, occupancy);
    }

    /** Opens the first backend, with the settings of the session. */
    CompletableFuture<BackendConnection> open(Node home) {
        return dispatcher.preparation().opened(home).thenCompose(dispatcher.preparation()::settledSoon);
    }

    /** The first backend is open: the client's messages go there until one needs another node. */
    void begin(BackendConnection home) {
        home.parameters().forEach(told::tell);
        session.backends().activate(home);
        timeouts.answered();
    }

    /** The client's next bytes; owned here. */
    void feed(ByteBuf in) {
        cutter.feed(in);
        proceed();
    }

    @Override
    public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
        if (ended) {
            return Verdict.SKIP;
        }
        boolean copies = copy.isAwaited();
        if (strings.isActive() && !copies) {
            return Verdict.WAIT;
        }
        if (frameLength - 1 > FrontendType.lengthMax(type)) {
            malformed(type, frameLength - 1);
            return Verdict.SKIP;
        }
        if (copies || isVoid(type)) {
            return copies ? copy.next(type) : Verdict.SKIP;
        }
        if (occupancy.holdsBack(type)) {
            return Verdict.WAIT;
        }
        if ((type == FrontendType.QUERY || type == FrontendType.PARSE)
                && available < Math.min(frameLength, limits.queryLengthMax())) {
            return Verdict.MORE;
        }
        SqlError failure = type == FrontendType.QUERY ? null : dispatcher.takeFailure();
        if (failure != null) {
            return waitedInVain(type, failure);
        }
        return switch (type) {
            case FrontendType.BIND ->
                available < frameLength && frameLength <= limits.queryLengthMax()
                        ? Verdict.MORE
                        : bind(in, index, frameLength, available);
            case FrontendType.QUERY, FrontendType.PARSE -> statement(type, in, index, frameLength, available);
            case FrontendType.DESCRIBE,
                    FrontendType.EXECUTE,
                    FrontendType.CLOSE,
                    FrontendType.FLUSH,
                    FrontendType.SYNC,
                    FrontendType.TERMINATE -> Verdict.WHOLE;
            case FrontendType.COPY_DATA, FrontendType.COPY_DONE, FrontendType.COPY_FAIL -> copy.copy(type);
            case FrontendType.FUNCTION_CALL -> guardedSimple(simple::onFunctionCall);
            default -> {
                end(SqlError.fatal("08P01", "invalid frontend message type " + (type & 0xff)));
                yield Verdict.SKIP;
            }
        };
    }

    @Override
    public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
        return switch (type) {
            case FrontendType.DESCRIBE -> guarded(() -> extended.onDescribe(in, index, frameLength));
            case FrontendType.EXECUTE -> guarded(() -> extended.onExecute(in, index, frameLength));
            case FrontendType.CLOSE -> guarded(() -> extended.onClose(in, index, frameLength));
            case FrontendType.FLUSH -> guarded(() -> extended.onFlush(frameLength));
            case FrontendType.SYNC -> guarded(() -> extended.onSync(frameLength));
            case FrontendType.TERMINATE -> terminate();
            default -> throw new IllegalStateException("nobody asked for '" + (char) type + "'");
        };
    }

    /** After an error in an extended message, everything up to Sync is ignored ("Extended Query"). */
    private boolean isVoid(byte type) {
        return (extended.isSkipping() || session.ledger().isSkipping())
                && type != FrontendType.SYNC
                && type != FrontendType.TERMINATE;
    }

    private Verdict statement(byte type, ByteBuf in, int index, int frameLength, int available) {
        timer.asked(session.ledger().isEmpty());
        LexicalRules rules = session.settings().lexicalRules();
        return type == FrontendType.QUERY
                ? guardedSimple(() -> simple.onQuery(in, index, frameLength, available, rules))
                : guarded(() -> extended.onParse(in, index, frameLength, available, rules));
    }

    private Verdict bind(ByteBuf in, int index, int frameLength, int available) {
        timer.asked(session.ledger().isEmpty());
        Verdict verdict = guarded(() -> extended.onBind(in, index, frameLength, available));
        return verdict == Verdict.MORE && available >= limits.queryLengthMax()
                ? waitedInVain(FrontendType.BIND, SqlErrors.bindTooLong())
                : verdict;
    }

    /** What the message waited for has failed, or its client has cancelled it; a Query looks at its text first. */
    private Verdict waitedInVain(byte type, SqlError failure) {
        Supplier<Verdict> refused = () -> {
            throw new SqlErrorException(failure);
        };
        return type == FrontendType.FUNCTION_CALL ? guardedSimple(refused) : guarded(refused);
    }

    private Verdict terminate() {
        ended = true;
        client.close();
        return Verdict.SKIP;
    }

    private Verdict guarded(Supplier<Verdict> step) {
        try {
            return step.get();
        } catch (SqlErrorException refused) {
            if (refused.error().severity() == SqlError.Severity.FATAL) {
                end(refused.error());
                return Verdict.SKIP;
            }
            return extended.refuse(refused.error());
        }
    }

    private Verdict guardedSimple(Supplier<Verdict> step) {
        try {
            return step.get();
        } catch (SqlErrorException refused) {
            return simple.refuse(refused.error());
        }
    }

    @Override
    public void forward(ByteBuf run) {
        BackendConnection backend = session.backends().active();
        if (backend == null) {
            run.release();
        } else {
            metrics.fromClient(run.readableBytes());
            timer.sent();
            backend.write(run);
        }
    }

    @Override
    public void malformed(byte type, int length) {
        end(SqlError.fatal("08P01", "invalid message length"));
    }

    @Override
    public void resume() {
        if (!ended) {
            cutter.resume();
            proceed();
        }
    }

    /** Says what is due, lets what was written leave, and reads on where there is room. */
    private void proceed() {
        boolean goesOn;
        do {
            if ((!cancellation.isUnderWay() || !session.ledger().isEmpty()) && !cutter.isInsideBody()) {
                strings.proceed();
            }
            BackendConnection active = session.backends().active();
            if (active == null || !active.isInsideBody()) {
                session.replies().drain();
            }
            boolean listens = !strings.isActive() || copy.isAwaited();
            goesOn = listens && cutter.isWaiting() && !ended && occupancy.isFreeToGoOn();
            if (goesOn) {
                cutter.resume();
            }
        } while (goesOn && strings.isActive());
        BackendConnection backend = session.backends().active();
        boolean crowded = session.ledger().isCrowded() && !cutter.isInsideBody();
        if (crowded) {
            dispatcher.flushBatch(); // or what the client has still to say might be what they wait for
        }
        if (backend != null) {
            backend.flush();
        }
        client.flush();
        client.autoRead(!ended && !crowded && !cutter.isBackedUp() && (backend == null || backend.isWritable()));
        departure.proceed();
        session.backends().rested();
        pauses.progressed();
    }

    @Override
    public void flushClientRun() {
        cutter.flushRun();
    }

    @Override
    public void activated(BackendConnection backend) {
        told.tell(backend, session);
    }

    /** The client takes more bytes again, or stopped to. */
    void clientWritabilityChanged() {
        session.backends().all().forEach(backend -> backend.autoRead(client.isWritable()));
    }

    @Override
    public FrameHandler frames(BackendConnection backend) {
        return new BackendRelay(backend, session, client, this);
    }

    @Override
    public void readComplete(BackendConnection backend) {
        if (!ended) {
            proceed();
        }
    }

    @Override
    public void writabilityChanged(BackendConnection backend) {
        if (!ended && backend == session.backends().active()) {
            proceed();
        }
    }

    @Override
    public void confirmed(BackendConnection backend, Effects.Confirmed effect, String tag) {
        effects.confirmedOn(backend, effect, tag);
        context.completed(tag);
        if (effect.facts().action().equals(StatementAction.Discard.ALL)) {
            session.backends().discardedAll();
        }
    }

    @Override
    public void settle(Effects.Confirmed effect, String tag) {
        effects.confirmed(effect, tag);
        told.misses();
    }

    @Override
    public byte ready(BackendConnection backend, byte status, boolean swallowed, boolean failed) {
        context.answered(failed);
        if (swallowed) {
            occupancy.hasEnded(backend, status, failed);
            return status;
        }
        timeouts.answered();
        occupancy.heardAll(backend);
        if (told.takeMissed()) {
            activated(backend);
        }
        TransactionScope transaction = session.transaction();
        if (status == BackendConnection.IDLE) {
            if (!transaction.isOpen() || transaction.main() == backend && !transaction.isDistributed()) {
                context.transactionEnded(!failed);
                backend.label(session.settings().session());
            }
            extended.transactionEnded();
        } else if (!transaction.isOpen()) {
            transaction.openedOn(backend, session.settings().current());
        }
        return transaction.isOpen() ? transaction.status(status) : status;
    }

    @Override
    public void forwarded(int bytes) {
        metrics.toClient(bytes);
    }

    @Override
    public void copyPassedOver() {
        copy.passedOver();
    }

    @Override
    public void cutOff() {
        extended.skipToSync();
    }

    @Override
    public boolean error(String sqlState) {
        BackendConnection active = session.backends().active();
        if (active != null && departure.tellsInsteadOf(sqlState)) {
            active.flushRun(); // what came before is told before
            departure.end();
            return false;
        }
        metrics.error(sqlState);
        return true;
    }

    @Override
    public boolean parameter(BackendConnection backend, String name, String value) {
        occupancy.observed(backend, name);
        return told.hears(name, value, session.ledger().isSwallowing());
    }

    @Override
    public void dying(BackendConnection backend, SqlError error) {
        timeouts.dying(backend, error);
        if (backend == session.backends().active() && error.sqlState().equals(ProtocolViolation.PROTOCOL_VIOLATION)) {
            backend.flushRun();
            end(error.asFatal()); // what the client has said there ends a session
        }
        gone(backend, error);
        backend.close();
    }

    @Override
    public void broken(BackendConnection backend, String what) {
        dying(backend, SqlErrors.lost(backend.node()).withDetail("The node sent a " + what + "."));
    }

    @Override
    public void closed(BackendConnection backend) {
        gone(backend, SqlErrors.lost(backend.node()));
    }

    /** A backend has ended or is about to: its own statements fail, the session goes on. */
    private void gone(BackendConnection backend, SqlError error) {
        if (ended || session.backends().of(backend.node()) != backend) {
            return;
        }
        boolean active = session.backends().active() == backend;
        backend.flushRun();
        if (active && backend.isInsideBody()) {
            end(error.asFatal());
        }
        boolean inBatch = active && extended.isTiedTo(backend);
        session.backends().lost(backend);
        if (ended) {
            return;
        }
        boolean inBlock = session.transaction().isEnlisted(backend);
        if (active && (inBatch || !session.ledger().isEmpty())) {
            LostReplies.Told heard = LostReplies.tell(backend, error, session, inBlock, inBatch);
            extended.lost(heard == LostReplies.Told.BATCH);
            if (heard != LostReplies.Told.NOTHING) {
                inBlock = false;
                context.statementLost();
            }
        }
        session.transaction().forget(backend, inBlock ? error : null);
        proceed();
    }

    @Override
    public void end(SqlError error) {
        if (ended) {
            return;
        }
        ended = true;
        metrics.error(error.sqlState());
        BackendConnection active = session.backends().active();
        if (active != null && active.isInsideBody()) {
            client.close(); // what we say would be taken for the rest of a row
            return;
        }
        ByteBuf out = client.allocator().buffer(256);
        BackendMessages.error(out, error);
        client.closeAfter(out);
    }

    /** The client is gone: what it began is rolled back by ending its connections, but a commit is finished first. */
    CompletableFuture<Void> clientGone() {
        ended = true;
        timeouts.stop();
        cutter.close();
        dispatcher.giveUpPause();
        return dispatcher.afterEnding().thenRun(() -> session.abandon(occupancy.leavesNothingHalf()));
    }

    /** What others are shown of it. */
    SessionPortrait portrait() {
        return portrait;
    }

    /** What it has heard of pauses. */
    PauseGate pauses() {
        return pauses;
    }

    /** The steps to its end when the proxy stops. */
    Departure departure() {
        return departure;
    }

    /** Cancels what runs; completes when the nodes have taken notice. Until then nothing new is sent to them. */
    CompletableFuture<Void> cancel() {
        return ended ? CompletableFuture.completedFuture(null) : cancellation.request();
    }
}
