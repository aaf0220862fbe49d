package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.FrontendType;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/** Makes sure that a backend knows a prepared statement of the client. Lives on the client's event loop. */
public final class PreparedOnBackend {

    private PreparedOnBackend() {}

    /**
     * Prepares the statement on the backend if it is not there, with replies that the client does not see. The caller
     * has handed over everything that comes before.
     */
    public static void ensure(Prepared statement, BackendConnection backend, ReplyLedger ledger) {
        if (backend.prepared().get(statement.name()) == statement) {
            return;
        }
        ByteBuf out = backend.channel().alloc().buffer(statement.message().length + 32);
        makeRoom(statement.name(), backend, ledger, out);
        statement.writeTo(out);
        ledger.expect(statement.isSql() ? Expected.QUERY : Expected.PARSE, true, null);
        backend.prepared().put(statement.name(), statement);
        backend.write(out);
    }

    /**
     * Closes what has the name on this backend although the client has deallocated it while it was at another node. The
     * caller has handed over everything that comes before.
     */
    public static void dropStale(String name, BackendConnection backend, ReplyLedger ledger) {
        if (!name.isEmpty() && backend.prepared().containsKey(name)) {
            ByteBuf out = backend.channel().alloc().buffer(name.length() + 16);
            makeRoom(name, backend, ledger, out);
            backend.write(out);
        }
    }

    /** Closes another statement that has the name on this backend. */
    public static void makeRoom(String name, BackendConnection backend, ReplyLedger ledger, ByteBuf out) {
        if (!name.isEmpty() && backend.prepared().remove(name) != null) {
            int start = out.writerIndex();
            out.writeByte(FrontendType.CLOSE).writeInt(0).writeByte('S');
            Bytes.writeRaw(out, name);
            out.setInt(start + 1, out.writerIndex() - start - 1);
            ledger.expect(Expected.CLOSE, true, null);
        }
    }

    /** A statement about prepared statements has worked on the backend; the session's own list is up to date already. */
    public static void confirmed(StatementAction action, BackendConnection backend, PreparedStatements statements) {
        switch (action) {
            case StatementAction.Prepare(String name) -> {
                Prepared prepared = statements.get(name);
                if (prepared != null) {
                    backend.prepared().put(name, prepared);
                }
            }
            case StatementAction.Deallocate(Optional<String> name) ->
                name.ifPresentOrElse(backend.prepared()::remove, backend.prepared()::clear);
            case StatementAction.Discard(StatementAction.Discard.Target target) -> {
                if (target == StatementAction.Discard.Target.ALL) {
                    backend.prepared().clear();
                }
            }
            default -> {
                // not about prepared statements
            }
        }
    }
}
