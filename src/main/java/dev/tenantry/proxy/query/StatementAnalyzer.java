package dev.tenantry.proxy.query;

import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.StatementCache;
import dev.tenantry.sql.StatementFacts;
import io.netty.buffer.ByteBuf;
import java.util.List;

/**
 * Looks at the text of statements; one an event loop, shared by its sessions. The text looked at last stays readable
 * until the next call.
 */
public final class StatementAnalyzer {
    private static final int KEPT_MAX = 1 << 20;

    private final StatementCache cache;
    private byte[] text = new byte[8192];

    /** An analyzer that remembers statements in at most so many bytes. */
    public StatementAnalyzer(long cacheBytesMax) {
        cache = new StatementCache(cacheBytesMax);
    }

    /** The statements of a text of {@code length} bytes at {@code index}. */
    public List<StatementFacts> analyze(ByteBuf in, int index, int length, LexicalRules rules) {
        if (text.length < length || text.length > KEPT_MAX && length < KEPT_MAX) {
            text = new byte[Math.max(8192, Math.min(length * 2, length + KEPT_MAX))];
        }
        in.getBytes(index, text, 0, length);
        return cache.scan(text, 0, length, rules);
    }

    /** The text looked at last. */
    public byte[] text() {
        return text;
    }
}
