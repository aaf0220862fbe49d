package dev.tenantry.sql;

import java.util.List;

/**
 * One pass over the text of a simple-protocol string or a Parse message, by PostgreSQL's lexical rules; no grammar.
 * Not thread-safe: it keeps buffers between calls; each event loop has its own.
 */
public final class SqlScanner {

    /**
     * Cuts the text into statements and says of each what can be seen.
     *
     * @param text bytes in the session's client encoding
     * @param offset where the text starts
     * @param length its length in bytes, without a terminating zero
     * @return one entry a statement; statements that are empty are left out, so the list is empty for blank text
     */
    public List<StatementFacts> scan(byte[] text, int offset, int length, LexicalRules rules) {
        return List.of();
    }
}
