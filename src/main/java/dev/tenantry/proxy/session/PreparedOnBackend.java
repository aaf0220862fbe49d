package dev.tenantry.proxy.session;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.FrontendType;
import io.netty.buffer.ByteBuf;

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
}
