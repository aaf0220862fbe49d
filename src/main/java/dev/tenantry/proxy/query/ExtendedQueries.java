package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The extended query protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync, one message at a time. Lives on the
 * client's event loop.
 */
public final class ExtendedQueries {
    private static final int BODILESS = 5;

    private final Conversation session;
    private final Statements statements;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final OwnStatements own;
    private final SessionContext context;
    private final ParseMessages parses;
    private final ParseMessages.Undescribed undescribed;
    private final Portals portals;
    private final BatchEnd end;
    private boolean skipping;

    public ExtendedQueries(QueryTools tools) {
        this.session = tools.session();
        this.context = tools.context();
        this.statements = tools.statements();
        this.portals = statements.portals();
        this.dispatcher = tools.dispatcher();
        this.cluster = tools.cluster();
        this.own = tools.own();
        this.undescribed =
                new ParseMessages.Undescribed(session, tools.cluster().owner());
        this.parses = new ParseMessages(tools, undescribed);
        this.end = new BatchEnd(tools);
    }

    /** Whether an error of our own makes the client's messages up to Sync void. */
    public boolean isSkipping() {
        skipping |= !context.isInString() && context.takeBatchFailed();
        return skipping;
    }

    /** An error of our own in an extended message: everything up to Sync is void. */
    public Verdict refuse(SqlError error) {
        session.transaction().fail();
        session.replies().error(error);
        skipping = true;
        return Verdict.SKIP;
    }

    /** Whether the open batch has executed or bound on its node, which is the active one, what no other one has. */
    public boolean isTiedTo(BackendConnection active) {
        return session.backends().isUnsynced() && (session.backends().isExecuted() || portals.hasAnyOn(active.node()));
    }

    /** The batch was cut off, and the client has been told. */
    public void skipToSync() {
        skipping = true;
    }

    /** A node is lost, and the client has been told in the middle of a batch, or not. */
    public void lost(boolean inBatch) {
        skipping |= inBatch;
    }

    /** The reply that was given last has ended a transaction, and with it its portals. */
    public void transactionEnded() {
        portals.transactionEnded(session.ledger().settled());
        statements.transactionEnded();
    }

    private boolean mustWait() {
        if (dispatcher.isBusy()) {
            return true;
        }
        if (session.ledger().hasEffectsPending()) {
            cluster.owner().flushClientRun();
            dispatcher.flushBatch();
            return true;
        }
        return false;
    }

    /** The same; if not, the statement that was prepared last is described before this message. */
    private boolean mustWaitInBatch() {
        if (mustWait()) {
            return true;
        }
        undescribed.describeNamed();
        return false;
    }

    /**
     * A Parse message, or the first part of it.
     *
     * @param available how much of the message is in the buffer; less than {@code frameLength} only for giants
     */
    public Verdict onParse(ByteBuf in, int index, int frameLength, int available, LexicalRules rules) {
        if (mustWaitInBatch()) {
            return Verdict.WAIT;
        }
        return parses.onParse(in, index, frameLength, available, rules);
    }

    /** A Bind message, or as much of it as has its two names. */
    public Verdict onBind(ByteBuf in, int index, int frameLength, int available) {
        if (mustWaitInBatch()) {
            return Verdict.WAIT;
        }
        int limit = index + available;
        int portalEnd = Bytes.endOfString(in, index + 5, limit);
        int nameEnd = portalEnd < 0 ? -1 : Bytes.endOfString(in, portalEnd + 1, limit);
        if (nameEnd < 0) {
            if (available == frameLength) {
                throw SqlErrors.invalidString();
            }
            return Verdict.MORE;
        }
        Prepared prepared = session.statements().get(in, portalEnd + 1, nameEnd);
        boolean values = prepared != null && prepared.needsValues();
        if (values && available < frameLength) {
            throw new SqlErrorException(SqlErrors.tooLong(
                    "Bind message is too long for its statement",
                    "Its values may decide where the statement goes or what it sets, so that it must not be longer"
                            + " than tenantry.proxy.query-length-max."));
        }
        BoundParameters parameters = prepared != null && values
                ? statements.values(prepared, in, nameEnd + 1, index + frameLength)
                : BoundParameters.NONE;
        String portal = portalEnd == index + 5 ? "" : Bytes.raw(in, index + 5, portalEnd);
        if (prepared != null && cluster.isLocal(prepared)) {
            own.check(prepared, in, nameEnd + 1, limit);
            if (mustHear(prepared)) {
                dispatcher.flushBatch();
                return Verdict.WAIT;
            }
            OwnResult result = own.bind(prepared.facts(), in, nameEnd + 1, limit);
            session.replies().bodiless(BackendType.BIND_COMPLETE);
            long noted = session.ledger().noted();
            portals.bind(portal, prepared, BoundParameters.NONE, noted).own(result);
            return Verdict.SKIP;
        }
        if (prepared == null) {
            checkUnknown(in, portalEnd + 1, nameEnd);
        }
        BackendConnection backend = backendFor(prepared, parameters);
        if (backend == null) {
            return Verdict.WAIT;
        }
        portals.requireFree(portal, backend.node());
        if (prepared == null) {
            cluster.owner().flushClientRun();
            PreparedOnBackend.dropStale(Bytes.raw(in, portalEnd + 1, nameEnd), backend, session.ledger());
            portals.bindUnknown(portal);
        } else {
            portals.bind(portal, prepared, parameters, session.ledger().noted() + 1)
                    .on(backend.node());
            statements.count(prepared);
        }
        session.ledger().expect(Expected.BIND, false, null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    /**
     * A statement that the client does not have is looked up before the block's state, and in a block that has failed
     * for reasons of ours there may be no node to say so.
     *
     * @throws SqlErrorException when the block has failed for such a reason
     */
    private void checkUnknown(ByteBuf in, int start, int end) {
        TransactionScope transaction = session.transaction();
        if (transaction.isFailed()) {
            throw new SqlErrorException(transaction.whyFailed(SqlErrors.noStatement(Bytes.raw(in, start, end))));
        }
    }

    /**
     * Whether what is owed decides about a Bind, because only what ends a block can be bound in a failed one.
     *
     * @throws SqlErrorException when the block has failed
     */
    private boolean mustHear(Prepared prepared) {
        TransactionScope transaction = session.transaction();
        boolean ends = prepared.facts() != null && Statements.endsBlock(prepared.facts());
        if (ends || !transaction.isOpen()) {
            return false;
        }
        if (session.ledger().isEmpty() && transaction.status() == 'E') {
            throw new SqlErrorException(transaction.whyFailed());
        }
        return !session.ledger().isEmpty();
    }

    /** The backend that runs a statement, knowing it; null when the message must wait. */
    private @Nullable BackendConnection backendFor(@Nullable Prepared prepared, BoundParameters parameters) {
        StatementFacts facts = prepared == null ? null : prepared.facts();
        if (prepared == null || facts == null) {
            return statements.ready(context.anyNode());
        }
        statements.checkBlock(facts);
        Route route = route(prepared, facts, parameters);
        Node node = statements.node(facts, route);
        BackendConnection backend = node == null ? null : statements.ready(node);
        if (backend != null && backend.prepared().get(prepared.name()) != prepared) {
            cluster.owner().flushClientRun();
            if (PreparedOnBackend.ensure(prepared, backend, session)) {
                session.backends().extended(false);
            }
        }
        String used = statements.usedStatement(facts);
        if (backend != null && used != null && backend.status() != 'E') {
            cluster.owner().flushClientRun();
            if (PreparedOnBackend.ensureNamed(used, statements.meant(used, facts, backend), backend, session)) {
                session.backends().extended(true);
            }
        }
        if (session.ledger().hasEffectsPending()) {
            dispatcher.flushBatch();
            return null; // whether the result is what it was decides
        }
        return backend;
    }

    private Route route(Prepared prepared, StatementFacts facts, BoundParameters parameters) {
        Object main = session.transaction().main();
        Object catalog = context.catalogVersion();
        int version = session.settings().version();
        Route route = prepared.isRoutedByParameters() ? null : prepared.route(version, catalog, main);
        if (route == null) {
            route = context.withParameters(
                    parameters, () -> statements.admitted(statements.look(context.executed(facts))));
            prepared.route(route, version, catalog, main);
        }
        return route;
    }

    /**
     * Where the zero is that ends the name in a message.
     *
     * @param rest how many bytes the message has behind it
     */
    private static int endOfName(ByteBuf in, int start, int end, int rest) {
        int nameEnd = Bytes.endOfString(in, start, end);
        if (nameEnd < 0) {
            throw SqlErrors.invalidString();
        }
        if (end - nameEnd - 1 != rest) {
            throw end - nameEnd - 1 < rest ? SqlErrors.insufficientData() : SqlErrors.invalidFormat();
        }
        return nameEnd;
    }

    /** A whole Describe message. */
    public Verdict onDescribe(ByteBuf in, int index, int frameLength) {
        if (mustWait()) {
            return Verdict.WAIT;
        }
        int nameEnd = endOfName(in, index + 6, index + frameLength, 0);
        boolean statement = in.getByte(index + 5) == 'S';
        Prepared prepared = statement ? session.statements().get(in, index + 6, nameEnd) : null;
        undescribed.describeUnless(prepared);
        Portals.Portal portal = statement ? null : portals.get(Bytes.raw(in, index + 6, nameEnd));
        Prepared of = prepared != null ? prepared : portal != null ? portal.statement() : null;
        if (of != null && cluster.isLocal(of)) {
            own.describe(of.facts(), portal == null ? null : portal.own(), statement);
            return Verdict.SKIP;
        }
        if (statement && prepared == null) {
            checkUnknown(in, index + 6, nameEnd);
        }
        BackendConnection backend =
                statement ? backendFor(prepared, BoundParameters.NONE) : ready(portal, nameEnd == index + 6);
        if (backend == null) {
            return Verdict.WAIT;
        }
        if (statement && prepared == null) {
            cluster.owner().flushClientRun();
            PreparedOnBackend.dropStale(Bytes.raw(in, index + 6, nameEnd), backend, session.ledger());
        }
        boolean isNew = prepared != null && prepared.result() == null && prepared.isCompared();
        session.ledger().expect(Expected.DESCRIBE, false, isNew ? prepared : null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    /** A whole Execute message. */
    public Verdict onExecute(ByteBuf in, int index, int frameLength) {
        if (mustWaitInBatch()) {
            return Verdict.WAIT;
        }
        int nameEnd = endOfName(in, index + 5, index + frameLength, Integer.BYTES);
        Portals.Portal portal = portals.get(nameEnd == index + 5 ? "" : Bytes.raw(in, index + 5, nameEnd));
        StatementFacts facts = portal == null ? null : portal.statement().facts();
        int rowsMax = in.getInt(nameEnd + 1);
        if (portal != null && facts != null) {
            statements.checkBlock(facts);
            OwnResult result = portal.own();
            if (result != null) {
                return own.execute(facts, result, rowsMax);
            }
            if (cluster.isLocal(facts)) {
                String name = nameEnd == index + 5 ? "" : Bytes.raw(in, index + 5, nameEnd);
                return executeLocally(name, portal, facts);
            }
        }
        BackendConnection backend = ready(portal, nameEnd == index + 5);
        if (backend == null) {
            return Verdict.WAIT;
        }
        Effects.Confirmed effect = null;
        if (portal != null && facts != null) {
            String text = Prepared.isEffect(facts) && !portal.isBegun()
                    ? portal.statement().text()
                    : null;
            effect = text == null ? null : new Effects.Confirmed(facts, portal.parameters(), text);
            statements.ran(facts);
            portal.run(rowsMax);
        }
        session.ledger().expect(Expected.EXECUTE, false, effect);
        session.backends().extended(facts == null || !Statements.isMovable(facts));
        if (facts != null && facts.action() instanceof StatementAction.Prepare(String name)) {
            undescribed.prepared(session.settings().onWire(name), backend);
        }
        return Verdict.FORWARD;
    }

    /** The backend that has a portal, or that will say that there is none; null when the message must wait. */
    private @Nullable BackendConnection ready(Portals.@Nullable Portal portal, boolean unnamed) {
        BackendConnection backend = statements.ready(node(portal));
        if (backend != null && unnamed && portals.hasNoUnnamed()) {
            dispatcher.closeOwnPortal(backend);
        }
        return backend;
    }

    /** Where a portal is; one that nobody has bound is nowhere, which any node can say. */
    private Node node(Portals.@Nullable Portal portal) {
        Node bound = portal == null ? null : portal.node();
        return bound == null ? context.anyNode() : bound;
    }

    /** A portal that was run can't be run again, and none outlives its transaction. */
    private Verdict executeLocally(String name, Portals.Portal portal, StatementFacts facts) {
        if (portal.isDone()) {
            return refuse(SqlError.error("55000", "portal \"" + name + "\" cannot be run"));
        }
        Route route = cluster.takes(facts) ? statements.admitted(statements.look(facts)) : null;
        if (route != null && statements.isHeld(facts, route)) {
            return Verdict.WAIT;
        }
        Verdict verdict = cluster.execute(portal.statement(), facts);
        if (verdict != Verdict.WAIT) {
            statements.counted(verdict, route == null ? Route.Reason.SESSION : route.reason());
            switch (facts.action()) {
                case StatementAction.Commit _, StatementAction.Rollback _, StatementAction.Discard _ -> portals.clear();
                case StatementAction.RollbackTo _ -> portals.remove(name);
                default -> portal.run();
            }
        }
        return verdict;
    }

    /** A whole Close message. */
    public Verdict onClose(ByteBuf in, int index, int frameLength) {
        if (mustWaitInBatch()) {
            return Verdict.WAIT;
        }
        int nameEnd = endOfName(in, index + 6, index + frameLength, 0);
        String name = Bytes.raw(in, index + 6, nameEnd);
        return in.getByte(index + 5) == 'S' ? closeStatement(name) : closePortal(name);
    }

    private Verdict closeStatement(String name) {
        Prepared prepared = session.statements().get(name);
        BackendConnection active = open();
        if (prepared == null || active == null || active.prepared().get(name) != prepared) {
            session.statements().remove(name);
            return closedHere();
        }
        if (statements.ready(active.node()) == null) {
            return Verdict.WAIT;
        }
        session.statements().remove(name);
        active.prepared().remove(name);
        session.ledger().expect(Expected.CLOSE, false, new PreparedOnBackend.NameChange.Closes(prepared, true));
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    private Verdict closePortal(String name) {
        Portals.Portal portal = portals.get(name);
        BackendConnection active = open();
        if (active == null || portal != null && cluster.isLocal(portal.statement())) {
            portals.remove(name);
            return closedHere();
        }
        if (statements.ready(portal == null ? active.node() : node(portal)) == null) {
            return Verdict.WAIT;
        }
        portals.remove(name);
        session.ledger().expect(Expected.CLOSE, false, null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    private @Nullable BackendConnection open() {
        BackendConnection active = session.backends().active();
        return active == null || active.isClosed() ? null : active;
    }

    private Verdict closedHere() {
        session.replies().bodiless(BackendType.CLOSE_COMPLETE);
        return Verdict.SKIP;
    }

    /** Flush. */
    public Verdict onFlush(int frameLength) {
        if (frameLength > BODILESS) {
            throw SqlErrors.invalidFormat();
        }
        undescribed.describe();
        return session.backends().active() != null && session.backends().isUnsynced() ? Verdict.FORWARD : Verdict.SKIP;
    }

    /** Sync. */
    public Verdict onSync(int frameLength) {
        if (dispatcher.isBusy()) {
            return Verdict.WAIT;
        }
        undescribed.describe();
        Verdict verdict = end.sync(isSkipping(), frameLength == BODILESS);
        skipping &= verdict == Verdict.WAIT;
        return verdict;
    }
}
