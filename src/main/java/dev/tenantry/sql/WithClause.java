package dev.tenantry.sql;

/** Reads the list of common table expressions before a statement. */
final class WithClause {

    private final Lexer t;
    private final Findings f;
    private final Levels l;

    WithClause(Lexer lexer, Findings findings, Levels levels) {
        t = lexer;
        f = findings;
        l = levels;
    }

    void with() {
        switch (l.state()) {
            case Levels.WITH_NAME -> {
                l.withName(t.isLabel(0) ? t.name(0) : "");
                if (l.isRecursive()) {
                    f.commonTable(l.withName());
                }
                l.state(Levels.WITH_AS);
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    l.push(Levels.SKIPPED);
                }
            }
            case Levels.WITH_AS -> {
                if (t.type(0) == Lexer.OPEN) {
                    l.state(Levels.WITH_AFTER);
                    t.advance();
                    l.push(Levels.QUERY);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    l.pop();
                } else {
                    t.advance();
                }
            }
            case Levels.WITH_CLAUSE -> {
                boolean set = t.is(0, Keyword.SET);
                t.advance(set ? 2 : 1);
                if (set) {
                    l.state(Levels.WITH_AFTER);
                }
            }
            default -> afterCommonTable();
        }
    }

    private void afterCommonTable() {
        if (!l.isRecursive() && !l.withName().isEmpty()) {
            f.commonTable(l.withName());
        }
        l.withName("");
        switch (t.keyword(0)) {
            case SEARCH, CYCLE -> {
                l.state(Levels.WITH_CLAUSE);
                t.advance();
            }
            case USING -> t.advance(2);
            case SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE -> {
                l.endWith();
                l.state(Levels.QUERY);
            }
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    l.endWith();
                    l.state(Levels.QUERY);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    l.pop();
                } else {
                    if (t.type(0) == Lexer.COMMA) {
                        l.state(Levels.WITH_NAME);
                    }
                    t.advance();
                }
            }
        }
    }
}
