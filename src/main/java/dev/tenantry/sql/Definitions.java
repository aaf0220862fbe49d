package dev.tenantry.sql;

import org.jspecify.annotations.Nullable;

/** Finds the names in statements that define, change, drop or describe objects. */
final class Definitions {

    private final Lexer t;
    private final Findings f;
    private final QueryWalker queries;
    private @Nullable String executed;

    Definitions(Lexer lexer, Findings findings, QueryWalker walker) {
        t = lexer;
        f = findings;
        queries = walker;
    }

    @Nullable
    String executed() {
        String name = executed;
        executed = null;
        return name;
    }

    void read(Keyword first) {
        names();
    }

    StatementKind copy() {
        boolean query = t.type(1) == Lexer.OPEN;
        f.effect();
        if (query) {
            t.advance();
            queries.runParenthesis(QueryWalker.QUERY);
            return StatementKind.COPY_TO;
        }
        t.advance(t.is(1, Keyword.BINARY) ? 2 : 1);
        boolean from = false;
        if (t.isName(0)) {
            int parts = chain();
            f.target(parts);
            t.advance(2 * parts - 1);
            if (t.type(0) == Lexer.OPEN) {
                queries.runParenthesis(QueryWalker.SKIPPED);
            }
            from = t.is(0, Keyword.FROM);
        }
        return from ? StatementKind.COPY_FROM : StatementKind.COPY_TO;
    }

    StatementKind lock() {
        names();
        return StatementKind.LOCK;
    }

    StatementKind maintain(StatementKind kind) {
        names();
        return kind;
    }

    void setConstraints() {
        names();
    }

    void typeList() {
        queries.runParenthesis(QueryWalker.SKIPPED);
    }

    void schemaElements() {
        while (t.type(0) != Lexer.END) {
            t.advance();
        }
    }

    private int chain() {
        int parts = 1;
        while (parts < 4 && t.type(2 * parts - 1) == Lexer.DOT && t.isLabel(2 * parts)) {
            parts++;
        }
        return parts;
    }

    private void names() {
        boolean qualified = false;
        while (t.type(0) != Lexer.END) {
            int parts = t.isLabel(0) ? chain() : 0;
            if (parts > 1) {
                qualified = true;
                f.object(parts);
            }
            t.advance(Math.max(1, 2 * parts - 1));
        }
        if (!qualified) {
            f.unqualified(Findings.Literal.RELATION);
        }
    }
}
