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
import dev.tenantry.routing.Route;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The extended query protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync, one message at a time. Lives on the
 * client's event loop.
 */
public final class ExtendedQueries {
    private final Conversation session;
    private final Statements statements;
    private final StatementAnalyzer analyzer;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final SessionContext context;
    private final Map<String, Portal> portals = new HashMap<>();
    private boolean skipping;

    /**
     * A portal of the client.
     *
     * @param parameters what was bound to it as far as we need it
     * @param done whether it was run here, which can be done once
     */
    private record Portal(Prepared statement, BoundParameters parameters, boolean done) {}

    public ExtendedQueries(
            Conversation session,
            Statements statements,
            StatementAnalyzer analyzer,
            Dispatcher dispatcher,
            ClusterStatements cluster,
            SessionContext context) {
        this.session = session;
        this.statements = statements;
        this.analyzer = analyzer;
        this.dispatcher = dispatcher;
        this.cluster = cluster;
        this.context = context;
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

    /** The batch was cut off by the loss of its node; the client has been told. */
    public void skipToSync() {
        skipping = true;
    }

    /** No transaction is open any more, so no portal is. */
    public void transactionEnded() {
        if (session.ledger().isEmpty()) {
            portals.clear();
        }
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

    /** A whole Parse message. */
    public Verdict onParse(ByteBuf in, int index, int frameLength, LexicalRules rules) {
        if (mustWait()) {
            return Verdict.WAIT;
        }
        int end = index + frameLength;
        int nameEnd = Bytes.endOfString(in, index + 5, end);
        int textEnd = nameEnd < 0 ? -1 : Bytes.endOfString(in, nameEnd + 1, end);
        if (textEnd < 0) {
            throw SqlErrors.malformed("invalid string in message");
        }
        String name = Bytes.raw(in, index + 5, nameEnd);
        List<StatementFacts> found = analyzer.analyze(in, nameEnd + 1, textEnd - nameEnd - 1, rules);
        StatementFacts facts = found.isEmpty() ? null : found.getFirst();
        if (facts != null && found.size() == 1) {
            statements.checkBlock(facts);
        }
        boolean taken = !name.isEmpty() && session.statements().get(name) != null;
        if (facts != null && found.size() == 1 && cluster.isLocal(facts)) {
            return taken ? refuse(alreadyExists(name)) : parseLocally(name, in, index, frameLength, facts);
        }
        return taken ? parseTwice(name, facts) : parse(name, in, index, frameLength, facts);
    }

    /** A second statement of a name: the server, if it has the first, says what is wrong with it. */
    private Verdict parseTwice(String name, @Nullable StatementFacts facts) {
        Node node = facts == null ? context.anyNode() : statements.node(checked(statements.look(facts)));
        BackendConnection backend = statements.ready(node);
        if (backend == null) {
            return Verdict.WAIT;
        }
        if (backend.prepared().get(name) != session.statements().get(name)) {
            return refuse(alreadyExists(name));
        }
        session.ledger().expect(Expected.PARSE, false, null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    private static SqlError alreadyExists(String name) {
        return SqlError.error("42P05", "prepared statement \"" + name + "\" already exists");
    }

    private Verdict parseLocally(String name, ByteBuf in, int index, int frameLength, StatementFacts facts) {
        boolean ends = facts.action() instanceof StatementAction.Commit
                || facts.action() instanceof StatementAction.Rollback
                || facts.action() instanceof StatementAction.RollbackTo;
        if (!ends && session.transaction().isOpen() && !session.ledger().isEmpty()) {
            cluster.owner().flushClientRun();
            dispatcher.flushBatch();
            return Verdict.WAIT; // whether the block has failed decides
        }
        if (!ends && session.transaction().status() == 'E') {
            return refuse(SqlErrors.aborted());
        }
        Prepared prepared = prepared(name, in, index, frameLength, facts);
        prepared.confirm();
        session.statements().add(prepared);
        session.replies().bodiless(BackendType.PARSE_COMPLETE);
        return Verdict.SKIP;
    }

    private static Prepared prepared(
            String name, ByteBuf in, int index, int frameLength, @Nullable StatementFacts facts) {
        byte[] message = ByteBufUtil.getBytes(in, index, frameLength);
        int textStart = Bytes.endOfString(in, index + 5, index + frameLength) + 1 - index;
        int textEnd = Bytes.endOfString(in, index + textStart, index + frameLength) - index;
        return Prepared.ofParse(name, message, textStart, textEnd - textStart, facts);
    }

    private Verdict parse(String name, ByteBuf in, int index, int frameLength, @Nullable StatementFacts facts) {
        Node node = facts == null ? context.anyNode() : statements.node(checked(statements.look(facts)));
        BackendConnection backend = statements.ready(node);
        if (backend == null) {
            return Verdict.WAIT;
        }
        boolean renamed = facts != null && !facts.tenantryNames().isEmpty();
        Prepared prepared = facts != null && renamed
                ? ClusterNames.prepared(name, in, index, frameLength, facts)
                : prepared(name, in, index, frameLength, facts);
        cluster.owner().flushClientRun();
        if (renamed || backend.prepared().containsKey(name) && !name.isEmpty()) {
            ByteBuf out = backend.channel().alloc().buffer(frameLength + 64);
            PreparedOnBackend.makeRoom(name, backend, session.ledger(), out);
            if (renamed) {
                prepared.writeTo(out);
            }
            backend.write(out);
        }
        session.ledger().expect(Expected.PARSE, false, new PreparedOnBackend.NameChange.Prepares(prepared, true));
        backend.prepared().put(name, prepared);
        session.statements().add(prepared);
        session.backends().extended(false);
        return renamed ? Verdict.SKIP : Verdict.FORWARD;
    }

    private static Route checked(Route route) {
        if (route instanceof Route.Refused refused) {
            throw new SqlErrorException(SqlErrors.of(refused.refusal()));
        }
        return route;
    }

    /** A Bind message, or as much of it as has its two names. */
    public Verdict onBind(ByteBuf in, int index, int frameLength, int available) {
        if (mustWait()) {
            return Verdict.WAIT;
        }
        int limit = index + available;
        int portalEnd = Bytes.endOfString(in, index + 5, limit);
        int nameEnd = portalEnd < 0 ? -1 : Bytes.endOfString(in, portalEnd + 1, limit);
        if (nameEnd < 0) {
            if (available == frameLength) {
                throw SqlErrors.malformed("invalid string in message");
            }
            return Verdict.MORE;
        }
        Prepared prepared = session.statements().get(in, portalEnd + 1, nameEnd);
        boolean values = prepared != null && prepared.needsValues();
        if (values && available < frameLength) {
            return Verdict.WHOLE;
        }
        BoundParameters parameters =
                values ? BoundParameters.read(in, nameEnd + 1, index + frameLength) : BoundParameters.NONE;
        String portal = portalEnd == index + 5 ? "" : Bytes.raw(in, index + 5, portalEnd);
        if (prepared != null && cluster.isLocal(prepared)) {
            portals.put(portal, new Portal(prepared, BoundParameters.NONE, false));
            session.replies().bodiless(BackendType.BIND_COMPLETE);
            return Verdict.SKIP;
        }
        BackendConnection backend = backendFor(prepared, parameters);
        if (backend == null) {
            return Verdict.WAIT;
        }
        if (prepared == null) {
            cluster.owner().flushClientRun();
            PreparedOnBackend.dropStale(Bytes.raw(in, portalEnd + 1, nameEnd), backend, session.ledger());
            portals.remove(portal);
        } else {
            note(portal, prepared, parameters);
            statements.count(prepared.lastRoute());
        }
        session.ledger().expect(Expected.BIND, false, null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    private void note(String portal, Prepared prepared, BoundParameters parameters) {
        Portal known = portals.get(portal);
        if (known == null || known.statement() != prepared || known.parameters() != parameters) {
            portals.put(portal, new Portal(prepared, parameters, false));
        }
    }

    /** The backend that runs a statement, knowing it; null when the message must wait. */
    private @Nullable BackendConnection backendFor(@Nullable Prepared prepared, BoundParameters parameters) {
        StatementFacts facts = prepared == null ? null : prepared.facts();
        if (prepared == null || facts == null) {
            return statements.ready(context.anyNode());
        }
        statements.checkBlock(facts);
        Route route = route(prepared, facts, parameters);
        BackendConnection backend = statements.ready(statements.node(facts, route));
        if (backend != null && backend.prepared().get(prepared.name()) != prepared) {
            cluster.owner().flushClientRun();
            PreparedOnBackend.ensure(prepared, backend, session.ledger());
            session.backends().extended(false);
        }
        String used = Statements.usedStatement(facts);
        if (backend != null && used != null && backend.status() != 'E') {
            cluster.owner().flushClientRun();
            if (PreparedOnBackend.ensureNamed(used, session.statements().get(used), backend, session.ledger())) {
                session.backends().extended(true);
            }
        }
        return backend;
    }

    private Route route(Prepared prepared, StatementFacts facts, BoundParameters parameters) {
        Object main = session.transaction().main();
        Object catalog = context.catalogVersion();
        int version = session.settings().version();
        Route route = prepared.isRoutedByParameters() ? null : prepared.route(version, catalog, main);
        if (route == null) {
            route = context.withParameters(parameters, () -> checked(statements.look(context.executed(facts))));
            prepared.route(route, version, catalog, main);
        }
        return route;
    }

    /** A whole Describe message. */
    public Verdict onDescribe(ByteBuf in, int index, int frameLength) {
        if (mustWait()) {
            return Verdict.WAIT;
        }
        int nameEnd = Bytes.endOfString(in, index + 6, index + frameLength);
        if (nameEnd < 0) {
            throw SqlErrors.malformed("invalid string in message");
        }
        boolean statement = in.getByte(index + 5) == 'S';
        Prepared prepared = statement ? session.statements().get(in, index + 6, nameEnd) : null;
        Portal portal = statement ? null : portals.get(Bytes.raw(in, index + 6, nameEnd));
        Prepared of = prepared != null ? prepared : portal != null ? portal.statement() : null;
        if (of != null && cluster.isLocal(of)) {
            describeLocally(statement);
            return Verdict.SKIP;
        }
        BackendConnection backend =
                statement ? backendFor(prepared, BoundParameters.NONE) : statements.ready(context.anyNode());
        if (backend == null) {
            return Verdict.WAIT;
        }
        if (statement && prepared == null) {
            cluster.owner().flushClientRun();
            PreparedOnBackend.dropStale(Bytes.raw(in, index + 6, nameEnd), backend, session.ledger());
        }
        session.ledger().expect(Expected.DESCRIBE, false, null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    private void describeLocally(boolean statement) {
        ByteBuf out = session.replies().buffer();
        if (statement) {
            BackendMessages.noParameters(out);
        }
        BackendMessages.bodiless(out, BackendType.NO_DATA);
        session.replies().send(out);
    }

    /** A whole Execute message. */
    public Verdict onExecute(ByteBuf in, int index, int frameLength) {
        if (mustWait()) {
            return Verdict.WAIT;
        }
        int nameEnd = Bytes.endOfString(in, index + 5, index + frameLength);
        if (nameEnd < 0) {
            throw SqlErrors.malformed("invalid string in message");
        }
        Portal portal = portals.get(nameEnd == index + 5 ? "" : Bytes.raw(in, index + 5, nameEnd));
        StatementFacts facts = portal == null ? null : portal.statement().facts();
        if (portal != null && facts != null) {
            statements.checkBlock(facts);
            if (cluster.isLocal(facts)) {
                String name = nameEnd == index + 5 ? "" : Bytes.raw(in, index + 5, nameEnd);
                return executeLocally(name, portal, facts);
            }
        }
        BackendConnection backend = statements.ready(context.anyNode());
        if (backend == null) {
            return Verdict.WAIT;
        }
        Effects.Confirmed effect = null;
        if (portal != null && facts != null) {
            String text = Prepared.isEffect(facts) ? portal.statement().text() : null;
            effect = text == null ? null : new Effects.Confirmed(facts, portal.parameters(), text);
            statements.ran(facts, portal.parameters() == BoundParameters.NONE ? text : null);
        }
        session.ledger().expect(Expected.EXECUTE, false, effect);
        session.backends().extended(facts == null || !Statements.isMovable(facts));
        return Verdict.FORWARD;
    }

    /** A portal that was run can't be run again, and none outlives its transaction. */
    private Verdict executeLocally(String name, Portal portal, StatementFacts facts) {
        if (portal.done()) {
            return refuse(SqlError.error("55000", "portal \"" + name + "\" cannot be run"));
        }
        Verdict verdict = cluster.execute(portal.statement(), facts);
        if (verdict != Verdict.WAIT) {
            switch (facts.action()) {
                case StatementAction.Commit _, StatementAction.Rollback _ -> portals.clear();
                case StatementAction.RollbackTo _ -> portals.remove(name);
                default -> portals.put(name, new Portal(portal.statement(), portal.parameters(), true));
            }
        }
        return verdict;
    }

    /** A whole Close message. */
    public Verdict onClose(ByteBuf in, int index, int frameLength) {
        if (mustWait()) {
            return Verdict.WAIT;
        }
        int nameEnd = Bytes.endOfString(in, index + 6, index + frameLength);
        if (nameEnd < 0) {
            throw SqlErrors.malformed("invalid string in message");
        }
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
        Portal portal = portals.get(name);
        BackendConnection active = open();
        if (active == null || portal != null && cluster.isLocal(portal.statement())) {
            portals.remove(name);
            return closedHere();
        }
        if (statements.ready(active.node()) == null) {
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
    public Verdict onFlush() {
        return session.backends().active() != null && session.backends().isUnsynced() ? Verdict.FORWARD : Verdict.SKIP;
    }

    /** Sync. */
    public Verdict onSync() {
        if (dispatcher.isBusy()) {
            return Verdict.WAIT;
        }
        if (session.ledger().isCopyIn()) {
            return Verdict.SKIP; // ignored inside COPY: only CopyDone or CopyFail end it
        }
        boolean skipped = isSkipping();
        if (session.transaction().isImplicit()) {
            if (!cluster.endImplicit(!skipped)) {
                return Verdict.WAIT;
            }
            skipping = false;
            return Verdict.SKIP;
        }
        skipping = false;
        BackendConnection active = session.backends().active();
        if (active != null && session.backends().isUnsynced()) {
            if (skipped
                    && session.backends().isExecuted()
                    && !session.transaction().isOpen()) {
                rollBack(active);
            }
            session.ledger().expect(Expected.SYNC, false, null);
            session.backends().synced();
            return Verdict.FORWARD;
        }
        session.replies().ready(session.transaction().status());
        return Verdict.SKIP;
    }

    /**
     * Undoes what the node has executed of a batch that an error of our own has cut off: to the node nothing is wrong
     * with it, so its Sync would commit.
     */
    private void rollBack(BackendConnection active) {
        byte[] sql = "ROLLBACK".getBytes(StandardCharsets.US_ASCII);
        StatementFacts facts = analyzer.analyze(Unpooled.wrappedBuffer(sql), 0, sql.length, LexicalRules.DEFAULT)
                .getFirst();
        cluster.owner().flushClientRun();
        ByteBuf out = active.channel().alloc().buffer(16);
        FrontendMessages.query(out, sql, 0, sql.length);
        active.write(out);
        active.prepared().remove(""); // a simple query ends the unnamed statement
        session.ledger().expect(Expected.QUERY, true, new Effects.Confirmed(facts, BoundParameters.NONE, "ROLLBACK"));
    }
}
