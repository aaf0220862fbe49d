package dev.tenantry.proxy.session;

import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.ResultShape;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the client has prepared, by name: Parse and PREPARE share one name space. The unnamed statement has the empty
 * name. Not thread-safe; lives on the client's event loop.
 */
public final class PreparedStatements {
    private final Map<String, Prepared> byName = new HashMap<>();
    private @Nullable Prepared lastUsed;
    private boolean unnamed;
    private final LongSupplier catalogVersion;
    private @Nullable Prepared refused;
    private long refusedAt;

    /** None. */
    public PreparedStatements(LongSupplier catalogVersion) {
        this.catalogVersion = catalogVersion;
    }

    @Nullable
    public Prepared get(String name) {
        return byName.get(name);
    }

    /** The statement whose name is the bytes from {@code start} to {@code end}; a repeated name allocates nothing. */
    @Nullable
    public Prepared get(ByteBuf in, int start, int end) {
        Prepared last = lastUsed;
        if (last != null && sameName(last.name(), in, start, end)) {
            return last;
        }
        Prepared found = byName.get(dev.tenantry.wire.Bytes.raw(in, start, end));
        lastUsed = found;
        return found;
    }

    public void add(Prepared statement) {
        byName.put(statement.name(), statement);
        lastUsed = statement;
        unnamed |= statement.name().isEmpty();
    }

    public void addSql(String name, byte[] text, StatementFacts facts) {
        add(Prepared.ofSql(name, text, facts));
    }

    public void remove(String name) {
        byName.remove(name);
        lastUsed = null;
    }

    /** A simple query ends the unnamed statement ("Extended Query" in "Message Flow"). */
    public void dropUnnamed() {
        if (unnamed) {
            unnamed = false;
            remove("");
        }
    }

    /** The server has never come to the statement: the name is its predecessor's again, if it had one. */
    public void undo(Prepared statement) {
        Prepared before = statement.replaced();
        failed(statement);
        if (before != null && byName.putIfAbsent(before.name(), before) == null) {
            lastUsed = null;
        }
    }

    /** The server could not prepare the statement; the one before it is gone all the same. */
    public void failed(Prepared statement) {
        if (byName.remove(statement.name(), statement)) {
            lastUsed = null;
        }
    }

    /** What a node says now of the result of a statement. */
    Prepared.Result result(ResultShape shape, int nodeId) {
        return new Prepared.Result(shape, nodeId, catalogVersion.getAsLong());
    }

    /** The message that waits must be told that the result of the statement has changed; {@code reply} is the last. */
    void refuse(Prepared statement, long reply) {
        refused = statement;
        refusedAt = reply;
    }

    /** Whether that is so, and nothing was sent in between; asked once. */
    boolean takeRefused(Prepared statement, long reply) {
        boolean is = refused == statement && refusedAt == reply;
        refused = null;
        return is;
    }

    public void clear() {
        byName.clear();
        lastUsed = null;
    }

    private static boolean sameName(String name, ByteBuf in, int start, int end) {
        int length = name.length();
        if (length != end - start) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (name.charAt(i) != in.getByte(start + i)) {
                return false;
            }
        }
        return true;
    }
}
