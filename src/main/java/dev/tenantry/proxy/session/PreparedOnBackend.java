package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.ResultShape;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes sure that a backend knows a prepared statement of the client. Lives on the client's event loop. */
public final class PreparedOnBackend {
    /** Names of our own, for the moment in which PREPARE is run inside a batch of the client's. */
    private static final String OWN = " tenantry";

    /**
     * What a message to a backend does to the name of a prepared statement, taken for granted until an error
     * prevents it.
     */
    public sealed interface NameChange {

        /** The statement that has the name. */
        Prepared statement();

        /** Whether the client asked for it; if not, only the backend is concerned. */
        boolean clients();

        /**
         * It is prepared on the backend.
         *
         * @param before the unnamed statement that was there, and stays if the node never comes to this one
         */
        record Prepares(
                Prepared statement,
                boolean clients,
                @Nullable Prepared before) implements NameChange {}

        /** It is closed on the backend. */
        record Closes(Prepared statement, boolean clients) implements NameChange {}

        /** Its result is described, to be compared with what it was. */
        record Compares(Prepared statement, boolean clients) implements NameChange {}
    }

    private PreparedOnBackend() {}

    /**
     * Prepares the statement on the backend if it is not there, with replies that the client does not see. The caller
     * has handed over everything that comes before, and lets what comes next wait as long as the ledger has effects
     * pending.
     *
     * @return whether the backend was sent something
     * @throws SqlErrorException when its result there is not what it was
     */
    public static boolean ensure(Prepared statement, BackendConnection backend, Conversation session) {
        if (backend.prepared().get(statement.name()) == statement) {
            return false;
        }
        if (session.statements().takeRefused(statement, session.ledger().noted())) {
            throw new SqlErrorException(SqlErrors.changedResult());
        }
        statement.requireWhole();
        if (isThere(statement, backend, session)) {
            backend.prepared().adopt(statement.name(), statement);
            return false;
        }
        ReplyLedger ledger = session.ledger();
        ByteBuf out = backend.channel().alloc().buffer(statement.message().length + 64);
        makeRoom(statement.name(), backend, ledger, out);
        NameChange prepares = prepares(statement, false, backend, session);
        if (statement.isSql()) {
            runPrepare(prepares, backend, ledger, out);
        } else {
            statement.writeTo(out);
            ledger.expect(Expected.PARSE, true, prepares);
        }
        if (statement.result() != null) {
            FrontendMessages.describeStatement(out, statement.name());
            ledger.expect(Expected.COMPARE, true, new NameChange.Compares(statement, false));
        }
        backend.write(out);
        return true;
    }

    /**
     * A server has described the result of a statement.
     *
     * @param effect what the ledger has kept for it: the statement, or the name of one that PREPARE has prepared, when
     *     it is to be kept; {@link NameChange.Compares} when it is to be compared
     */
    public static void described(
            @Nullable Object effect, ResultShape shape, BackendConnection backend, Conversation session) {
        PreparedStatements statements = session.statements();
        Prepared.Result said = statements.result(shape, backend.node().nodeId());
        switch (effect) {
            case Prepared prepared -> prepared.result(said);
            case String name -> {
                Prepared prepared = statements.get(name);
                if (prepared != null) {
                    prepared.result(said);
                }
            }
            case NameChange.Compares(Prepared prepared, boolean _) -> {
                if (prepared.matches(said)) {
                    prepared.result(said);
                } else {
                    backend.prepared().adopt(prepared.name(), prepared.changed(said));
                    statements.refuse(prepared, session.ledger().noted());
                }
            }
            case null, default -> {
                // of no statement that is still there
            }
        }
    }

    /** Whether another session has left the very same behind, parsed as it would be parsed now. */
    private static boolean isThere(Prepared statement, BackendConnection backend, Conversation session) {
        return isShared(statement)
                && statement.isConfirmed()
                && backend.prepared().get(statement.name()) instanceof Prepared other
                && isShared(other)
                && Arrays.equals(other.message(), statement.message())
                && statement.matches(other.result())
                && backend.prepared()
                        .isParsed(
                                statement.name(), session.settings().meaning(), statement, statement.confirmedNanos());
    }

    private static boolean isShared(Prepared statement) {
        return !statement.isSql() && !statement.name().isEmpty();
    }

    /** The backend, which has the settings of the session, is about to get the statement, and its name with it. */
    public static NameChange prepares(
            Prepared statement, boolean clients, BackendConnection backend, Conversation session) {
        Object before = backend.prepared().put(statement.name(), statement);
        if (isShared(statement)) {
            backend.prepared().parsed(statement.name(), session.settings().meaning());
        }
        return new NameChange.Prepares(statement, clients, before instanceof Prepared other ? other : null);
    }

    /**
     * Makes the backend mean by a name what the client means, inside a batch.
     *
     * @param statement null when the client has no statement of that name
     * @return whether the backend was sent something
     */
    public static boolean ensureNamed(
            String name, @Nullable Prepared statement, BackendConnection backend, Conversation session) {
        if (backend.prepared().get(name) == statement) {
            return false;
        }
        if (statement != null) {
            return ensure(statement, backend, session);
        }
        dropStale(name, backend, session.ledger());
        return true;
    }

    /** The same outside a batch: the backend is quiet, and an error is thrown as the client's own. */
    public static CompletableFuture<Void> bring(
            String name, @Nullable Prepared statement, BackendConnection backend, Conversation session) {
        if (statement != null) {
            statement.requireWhole();
        }
        ByteBuf out = backend.channel().alloc().buffer(64);
        if (displaced(name, backend) != null) {
            close(out, 'S', name);
        }
        int syncs = 1;
        if (statement != null && statement.isSql()) {
            FrontendMessages.bodiless(out, FrontendType.SYNC);
            syncs = 3;
        }
        if (statement != null) {
            statement.writeTo(out);
            if (statement.result() != null) {
                FrontendMessages.describeStatement(out, name);
            }
        }
        FrontendMessages.bodiless(out, FrontendType.SYNC);
        return backend.call(out, syncs).thenAccept(result -> {
            if (!result.isSuccess()) {
                throw new SqlErrorException(SqlErrors.of(result));
            }
            if (statement != null) {
                brought(statement, result.shape(), backend, session);
            }
        });
    }

    private static void brought(
            Prepared statement, ResultShape shape, BackendConnection backend, Conversation session) {
        Prepared.Result said = session.statements().result(shape, backend.node().nodeId());
        if (statement.result() == null) {
            backend.prepared().put(statement.name(), statement);
        } else if (statement.matches(said)) {
            statement.result(said);
            backend.prepared().put(statement.name(), statement);
        } else {
            backend.prepared().put(statement.name(), statement.changed(said));
            throw new SqlErrorException(SqlErrors.changedResult());
        }
    }

    /**
     * Runs the client's PREPARE as messages of the extended protocol, so that the result is described in the same
     * transaction; the client gets the answer of a Query.
     *
     * @param text of the whole Query
     * @param effect what its success changes
     */
    public static void prepare(String name, byte[] text, Object effect, BackendConnection backend, ReplyLedger ledger) {
        ByteBuf out = backend.channel().alloc().buffer(text.length + 128);
        backend.prepared().put("", Prepared.empty("")); // which the client's Query would have ended
        FrontendMessages.parse(out, "", text, 0, text.length);
        ledger.expect(Expected.PARSE, true, null);
        FrontendMessages.bind(out, "");
        ledger.expect(Expected.BIND, true, null);
        FrontendMessages.execute(out);
        ledger.expect(Expected.EXECUTE, false, effect);
        FrontendMessages.describeStatement(out, name);
        ledger.expect(Expected.DESCRIBE, true, name);
        close(out, 'P', "");
        ledger.expect(Expected.CLOSE, true, null);
        FrontendMessages.bodiless(out, FrontendType.SYNC);
        ledger.expect(Expected.SYNC, false, null);
        backend.write(out);
    }

    /** PREPARE, DEALLOCATE or DISCARD has worked on this backend; the session's own list is up to date. */
    public static void confirmed(
            StatementAction action,
            BackendConnection backend,
            PreparedStatements statements,
            UnaryOperator<String> onWire) {
        switch (action) {
            case StatementAction.Prepare(String name) -> {
                Prepared prepared = statements.get(onWire.apply(name));
                if (prepared != null) {
                    backend.prepared().put(prepared.name(), prepared);
                }
            }
            case StatementAction.Deallocate(Optional<String> name) ->
                name.map(onWire).ifPresentOrElse(gone -> backend.prepared().remove(gone), backend.prepared()::clear);
            case StatementAction.Discard(StatementAction.Discard.Target target)
            when target == StatementAction.Discard.Target.ALL ->
                backend.prepared().clear();
            default -> {
                // prepares nothing
            }
        }
    }

    /**
     * Closes what has the name on this backend although the client has deallocated it while it was at another node. The
     * caller has handed over everything that comes before.
     */
    public static void dropStale(String name, BackendConnection backend, ReplyLedger ledger) {
        if (backend.prepared().remove(name) instanceof Prepared other) {
            ByteBuf out = backend.channel().alloc().buffer(name.length() + 16);
            closes(other, ledger, out);
            backend.write(out);
        }
    }

    /** Closes another statement that has the name on this backend. */
    public static void makeRoom(String name, BackendConnection backend, ReplyLedger ledger, ByteBuf out) {
        Prepared other = displaced(name, backend);
        if (other != null) {
            closes(other, ledger, out);
        }
    }

    /** What must be closed before the name can mean something else; the unnamed statement gives way by itself. */
    private static @Nullable Prepared displaced(String name, BackendConnection backend) {
        return !name.isEmpty() && backend.prepared().remove(name) instanceof Prepared other ? other : null;
    }

    private static void closes(Prepared statement, ReplyLedger ledger, ByteBuf out) {
        close(out, 'S', statement.name());
        ledger.expect(Expected.CLOSE, true, new NameChange.Closes(statement, false));
    }

    /** Nothing of what the backend owes comes any more: what it has not confirmed is not there. */
    public static void lost(BackendConnection backend, PreparedStatements statements, ReplyLedger ledger) {
        ledger.lose();
        undo(backend, statements, ledger);
    }

    /** Takes back what the model took for granted, because the backend never came to it; clears the list. */
    public static void undo(BackendConnection backend, PreparedStatements statements, ReplyLedger ledger) {
        Set<Prepared> never = new HashSet<>();
        for (Object change : ledger.undone()) {
            switch (change) {
                case NameChange.Prepares(Prepared prepared, boolean clients, Prepared before) -> {
                    never.add(prepared);
                    boolean stays = before != null && change != ledger.failedParse();
                    if (backend.prepared().remove(prepared.name(), prepared) && stays) {
                        backend.prepared().put(before.name(), before);
                    }
                    if (clients && change == ledger.failedParse()) {
                        statements.failed(prepared);
                    } else if (clients) {
                        statements.undo(prepared);
                    }
                }
                case NameChange.Closes(Prepared prepared, boolean clients)
                when !never.contains(prepared) -> {
                    backend.prepared().putIfAbsent(prepared.name(), prepared);
                    if (clients && statements.get(prepared.name()) == null) {
                        statements.add(prepared);
                    }
                }
                default -> {
                    // an effect that did not come to pass, or a statement that was never there
                }
            }
        }
        ledger.undone().clear();
    }

    /** A Query would end the client's batch and its unnamed statement, so PREPARE is run by the extended protocol. */
    private static void runPrepare(NameChange prepares, BackendConnection backend, ReplyLedger ledger, ByteBuf out) {
        byte[] text = prepares.statement().message();
        Prepared own = Prepared.empty(OWN); // stays there when the client's PREPARE fails
        makeRoom(OWN, backend, ledger, out);
        backend.prepared().put(OWN, own);
        FrontendMessages.parse(out, OWN, text, 0, text.length);
        ledger.expect(Expected.PARSE, true, new NameChange.Prepares(own, false, null));
        FrontendMessages.bindPortal(out, OWN, OWN);
        ledger.expect(Expected.BIND, true, null);
        FrontendMessages.executePortal(out, OWN);
        ledger.expect(Expected.EXECUTE, true, prepares);
        close(out, 'P', OWN);
        ledger.expect(Expected.CLOSE, true, null);
        backend.prepared().remove(OWN);
        closes(own, ledger, out);
    }

    private static void close(ByteBuf out, char kind, String name) {
        int start = out.writerIndex();
        out.writeByte(FrontendType.CLOSE).writeInt(0).writeByte(kind);
        Bytes.writeRaw(out, name);
        out.setInt(start + 1, out.writerIndex() - start - 1);
    }
}
