package dev.tenantry.sql;

/** Finds the relations that INSERT, UPDATE, DELETE, MERGE and SELECT INTO change; keeps columns apart from names. */
final class ChangeClause {

    private final Lexer t;
    private final Findings f;
    private final Levels l;
    private final Expressions expressions;

    ChangeClause(Lexer lexer, Findings findings, Levels levels, Expressions names) {
        t = lexer;
        f = findings;
        l = levels;
        expressions = names;
    }

    void change() {
        Keyword verb = t.keyword(0);
        l.mainVerb(verb);
        f.writes();
        t.advance();
        l.state(Levels.BODY);
        if (verb == Keyword.INSERT) {
            t.advance();
            targetName();
            insertSource();
        } else if (verb == Keyword.UPDATE) {
            l.verb(Levels.UPDATE);
            targetName();
            if (t.is(0, Keyword.SET)) {
                t.advance();
                l.state(Levels.SET_TARGET);
            }
        } else {
            l.verb(verb == Keyword.DELETE ? Levels.DELETE : Levels.MERGE);
            t.advance();
            targetName();
        }
    }

    private void insertSource() {
        if (t.type(0) == Lexer.OPEN) {
            switch (t.keyword(1)) {
                case SELECT, WITH, VALUES, TABLE -> {
                    l.state(Levels.QUERY);
                    return;
                }
                default -> {
                    if (t.type(1) == Lexer.OPEN) {
                        l.state(Levels.QUERY);
                        return;
                    }
                    t.advance();
                    l.state(Levels.QUERY);
                    l.push(Levels.SKIPPED);
                    return;
                }
            }
        }
        l.state(Levels.QUERY);
    }

    /** The relation that is changed, with ONLY, star and alias. */
    private void targetName() {
        boolean only = t.is(0, Keyword.ONLY) && (t.isName(1) || t.type(1) == Lexer.OPEN);
        if (only) {
            t.advance();
        }
        boolean parenthesis = only && t.type(0) == Lexer.OPEN;
        if (parenthesis) {
            t.advance();
        }
        if (t.isName(0)) {
            int parts = expressions.chain();
            f.target(parts);
            t.advance(2 * parts - 1);
        }
        if (parenthesis && t.type(0) == Lexer.CLOSE) {
            t.advance();
        }
        if (t.isOperator(0, '*')) {
            t.advance();
        }
        if (t.is(0, Keyword.AS)) {
            t.advance(2);
        } else if (t.isName(0)) {
            switch (t.keyword(0)) {
                case SET, VALUES, OVERRIDING -> {}
                default -> t.advance();
            }
        }
    }

    void setTarget() {
        byte type = t.type(0);
        if (t.isOperator(0, '=')) {
            l.state(Levels.SET_VALUE);
            t.advance();
        } else if (type == Lexer.OPEN || type == Lexer.OPEN_BRACKET) {
            t.advance();
            l.push(type == Lexer.OPEN ? Levels.SKIPPED : Levels.EXPRESSION);
        } else if (type == Lexer.CLOSE) {
            t.advance();
            l.pop();
        } else {
            t.advance();
        }
    }

    void skipped() {
        byte type = t.type(0);
        t.advance();
        if (type == Lexer.OPEN || type == Lexer.OPEN_BRACKET) {
            l.push(Levels.SKIPPED);
        } else if (type == Lexer.CLOSE || type == Lexer.CLOSE_BRACKET) {
            l.pop();
        }
    }

    void into() {
        switch (t.keyword(0)) {
            case TEMPORARY, TEMP, UNLOGGED, LOCAL, GLOBAL, TABLE -> {
                if (t.isLabel(1)) {
                    if (t.is(0, Keyword.TEMPORARY) || t.is(0, Keyword.TEMP)) {
                        f.trace();
                    }
                    t.advance();
                    into();
                    return;
                }
            }
            default -> {}
        }
        if (t.isName(0)) {
            int parts = expressions.chain();
            f.target(parts);
            f.writes();
            t.advance(2 * parts - 1);
        }
    }

    /** False when the token is one of an expression, which the caller reads. */
    boolean arbiter() {
        boolean rest = l.state() == Levels.ARBITER_REST;
        if (t.type(0) == Lexer.COMMA) {
            l.state(Levels.ARBITER);
            t.advance();
        } else if (rest && t.isLabel(0) && !t.is(0, Keyword.COLLATE)) {
            int parts = expressions.chain();
            if (parts > 1) {
                f.type(parts);
            }
            t.advance(2 * parts - 1);
        } else {
            l.state(Levels.ARBITER_REST);
            return false;
        }
        return true;
    }

    /** The INSERT of a MERGE: its columns are no names. */
    void mergeInsert() {
        boolean action = l.previous() == Keyword.THEN && l.verb() == Levels.MERGE;
        t.advance();
        if (action && t.type(0) == Lexer.OPEN) {
            t.advance();
            l.push(Levels.SKIPPED);
        }
    }

    /** ON CONFLICT, its columns. */
    void conflict() {
        t.advance();
        if (t.type(0) == Lexer.OPEN) {
            t.advance();
            l.push(Levels.ARBITER);
        }
    }
}
