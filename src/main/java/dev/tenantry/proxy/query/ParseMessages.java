package dev.tenantry.proxy.query;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of Parse: the statement is routed, prepared there under the client's own name, and kept so that it can
 * be prepared elsewhere. Errors are thrown as {@link SqlErrorException}. Lives on the client's event loop.
 */
final class ParseMessages {
    private final Conversation session;
    private final Statements statements;
    private final StatementAnalyzer analyzer;
    private final Dispatcher dispatcher;
    private final ClusterStatements cluster;
    private final SessionContext context;
    private final Undescribed undescribed;

    ParseMessages(QueryTools tools, Undescribed undescribed) {
        this.undescribed = undescribed;
        this.session = tools.session();
        this.context = tools.context();
        this.statements = tools.statements();
        this.analyzer = tools.analyzer();
        this.dispatcher = tools.dispatcher();
        this.cluster = tools.cluster();
    }

    /** A Parse message, or the first part of a giant; nothing is owed that may change how it is understood. */
    Verdict onParse(ByteBuf in, int index, int frameLength, int available, LexicalRules rules) {
        int end = index + available;
        int nameEnd = Bytes.endOfString(in, index + 5, end);
        int textEnd = nameEnd < 0 ? -1 : Bytes.endOfString(in, nameEnd + 1, end);
        if (available < frameLength) {
            return giant(in, index + 5, nameEnd, textEnd < 0 ? end : textEnd, rules);
        }
        if (textEnd < 0) {
            throw SqlErrors.invalidString();
        }
        String name = Bytes.raw(in, index + 5, nameEnd);
        List<StatementFacts> found = analyzer.analyze(in, nameEnd + 1, textEnd - nameEnd - 1, rules);
        StatementFacts facts = found.isEmpty() ? null : found.getFirst();
        if (facts != null && found.size() == 1) {
            statements.checkBlock(facts);
        }
        if (facts != null && found.size() == 1 && cluster.isLocal(facts)) {
            return locally(name, in, index, frameLength, facts);
        }
        BackendConnection backend = backend(facts);
        if (backend == null) {
            return Verdict.WAIT;
        }
        if (isTaken(name)) {
            return twice(name, backend);
        }
        boolean renamed = facts != null && !facts.tenantryNames().isEmpty();
        return send(
                facts != null && renamed
                        ? ClusterNames.prepared(name, in, index, frameLength, facts)
                        : prepared(name, in, index, frameLength, facts),
                renamed,
                backend);
    }

    /** Of a giant only the first part is seen, and nothing kept: it must go to one node as it is. */
    private Verdict giant(ByteBuf in, int nameStart, int nameEnd, int textEnd, LexicalRules rules) {
        List<StatementFacts> found =
                nameEnd < 0 ? List.of() : analyzer.analyze(in, nameEnd + 1, textEnd - nameEnd - 1, rules);
        StatementFacts facts = found.isEmpty() ? null : found.getFirst();
        if (facts == null || !Statements.isClearFromBeginning(facts)) {
            throw new SqlErrorException(SqlErrors.tooLong(
                    "statement is too long for what it says",
                    "Only a statement that goes to one node as it is may be longer than"
                            + " tenantry.proxy.query-length-max."));
        }
        statements.checkBlock(facts);
        BackendConnection backend = backend(facts);
        if (backend == null) {
            return Verdict.WAIT;
        }
        String name = Bytes.raw(in, nameStart, nameEnd);
        return isTaken(name) ? twice(name, backend) : send(Prepared.ofGiant(name, facts), false, backend);
    }

    private boolean isTaken(String name) {
        return !name.isEmpty() && session.statements().get(name) != null;
    }

    private @Nullable BackendConnection backend(@Nullable StatementFacts facts) {
        if (facts == null) {
            return statements.ready(context.anyNode());
        }
        Route route = statements.admitted(statements.look(facts));
        return statements.isHeld(facts, route) ? null : statements.ready(statements.node(route));
    }

    /** A second statement of a name: the server says what is wrong with it, and needs no more for it than the name. */
    private Verdict twice(String name, BackendConnection backend) {
        if (backend.prepared().get(name) == null) {
            cluster.owner().flushClientRun();
            PreparedOnBackend.ensure(Prepared.empty(name), backend, session);
        }
        session.ledger().expect(Expected.PARSE, false, null);
        session.backends().extended(false);
        return Verdict.FORWARD;
    }

    private static SqlError alreadyExists(String name) {
        return SqlError.error("42P05", "prepared statement \"" + name + "\" already exists");
    }

    /** A statement that reaches a node only when it is executed, if at all. */
    private Verdict locally(String name, ByteBuf in, int index, int frameLength, StatementFacts facts) {
        if (isTaken(name)) {
            throw new SqlErrorException(alreadyExists(name));
        }
        boolean mayBeVoid = session.transaction().isOpen() || session.backends().isUnsynced();
        if (mayBeVoid && !session.ledger().isEmpty()) {
            dispatcher.flushBatch();
            return Verdict.WAIT; // whether the block, or the batch before it, has failed decides
        }
        if (!Statements.endsBlock(facts) && session.transaction().status() == 'E') {
            throw new SqlErrorException(session.transaction().whyFailed());
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

    /** The client's Parse goes to the backend, or what it has become. */
    private Verdict send(Prepared prepared, boolean renamed, BackendConnection backend) {
        String name = prepared.name();
        cluster.owner().flushClientRun();
        if (renamed || backend.prepared().get(name) != null && !name.isEmpty()) {
            ByteBuf out = backend.channel().alloc().buffer(renamed ? prepared.message().length + 64 : 64);
            PreparedOnBackend.makeRoom(name, backend, session.ledger(), out);
            if (renamed) {
                prepared.writeTo(out);
            }
            backend.write(out);
        }
        session.ledger().expect(Expected.PARSE, false, PreparedOnBackend.prepares(prepared, true, backend, session));
        if (name.isEmpty()) {
            prepared.replaces(session.statements().get(name));
        }
        session.statements().add(prepared);
        session.backends().extended(false);
        undescribed.parsed(prepared, backend);
        return renamed ? Verdict.SKIP : Verdict.FORWARD;
    }

    /**
     * The statement that the client's last message has prepared. What the server says of its result is kept, so that it
     * can be compared when the statement is prepared on another connection: if the client does not ask with its next
     * message, we do, right behind the one that has prepared it, where that can't fail. An unnamed statement that is
     * bound at once will hardly be bound again, and is let alone.
     */
    static final class Undescribed {
        private final Conversation session;
        private final Dispatcher.Owner owner;
        private @Nullable Object prepared;
        private @Nullable BackendConnection on;
        private String name = "";
        private long noted;

        Undescribed(Conversation session, Dispatcher.Owner owner) {
            this.session = session;
            this.owner = owner;
        }

        /** A Parse message is on its way to this backend. */
        void parsed(Prepared statement, BackendConnection backend) {
            if (statement.isCompared()) {
                note(statement, statement.name(), backend);
            }
        }

        /** So is an Execute of SQL's PREPARE of that name. */
        void prepared(String newName, BackendConnection backend) {
            note(newName, newName, backend);
        }

        private void note(Object effect, String newName, BackendConnection backend) {
            prepared = effect;
            name = newName;
            on = backend;
            noted = session.ledger().noted();
        }

        /** The next message has come, and does not end the batch. */
        void describeNamed() {
            if (prepared != null) {
                if (name.isEmpty()) {
                    prepared = null;
                }
                describe();
            }
        }

        /** The next message is Describe, of this statement or of something else. */
        void describeUnless(@Nullable Prepared asked) {
            if (prepared == asked) {
                prepared = null;
            }
            describeNamed();
        }

        /** The next message has come. */
        void describe() {
            Object effect = prepared;
            BackendConnection backend = on;
            if (effect == null || backend == null) {
                return;
            }
            prepared = null;
            on = null;
            boolean isLast =
                    session.ledger().noted() == noted && !session.ledger().isSkipping();
            if (isLast && session.backends().active() == backend && !backend.isClosed()) {
                owner.flushClientRun();
                ByteBuf out = backend.channel().alloc().buffer(name.length() + 8);
                FrontendMessages.describeStatement(out, name);
                backend.write(out);
                session.ledger().expect(Expected.DESCRIBE, true, effect);
                session.backends().extended(false);
            }
        }
    }
}
