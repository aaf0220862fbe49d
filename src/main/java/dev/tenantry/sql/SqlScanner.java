package dev.tenantry.sql;

import java.util.ArrayList;
import java.util.List;

/**
 * One pass over the text of a simple-protocol string or a Parse message, by PostgreSQL's lexical rules; no grammar.
 * Not thread-safe: it keeps buffers between calls; each event loop has its own.
 */
public final class SqlScanner {

    private final Lexer lexer = new Lexer();
    private final Findings findings = new Findings(lexer);
    private final StatementReader reader = new StatementReader(lexer, findings);
    private final SettingCalls settings = new SettingCalls();

    /**
     * Cuts the text into statements and says of each what can be seen.
     *
     * @param text bytes in the session's client encoding
     * @param offset where the text starts
     * @param length its length in bytes, without a terminating zero
     * @return one entry a statement; statements that are empty are left out, so the list is empty for blank text
     */
    public List<StatementFacts> scan(byte[] text, int offset, int length, LexicalRules rules) {
        lexer.reset(text, offset, length, rules);
        if (!lexer.nextStatement()) {
            return List.of();
        }
        StatementFacts first = statement(text, offset, rules);
        if (!lexer.nextStatement()) {
            return List.of(first);
        }
        List<StatementFacts> all = new ArrayList<>();
        all.add(first);
        do {
            all.add(statement(text, offset, rules));
        } while (lexer.nextStatement());
        return List.copyOf(all);
    }

    private StatementFacts statement(byte[] text, int offset, LexicalRules rules) {
        findings.clear();
        int start = lexer.start(0);
        StatementKind kind = reader.read();
        while (lexer.type(0) != Lexer.END) {
            lexer.advance();
        }
        int end = lexer.lastEnd();
        if (findings.settings().any()) {
            findings.settings().certain(settings.read(text, offset + start, end - start, rules));
        }
        return findings.facts(kind, start, end, reader.action());
    }
}
