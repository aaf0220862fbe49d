package dev.tenantry.sql;

/** Finds the relations and functions of a FROM list. */
final class FromClause {

    private final Lexer t;
    private final Findings f;
    private final Levels l;
    private final Expressions expressions;

    FromClause(Lexer lexer, Findings findings, Levels levels, Expressions names) {
        t = lexer;
        f = findings;
        l = levels;
        expressions = names;
    }

    void fromItem() {
        switch (t.keyword(0)) {
            case LATERAL -> t.advance();
            case ONLY -> t.advance();
            case SELECT, VALUES, WITH, TABLE -> l.state(Levels.QUERY);
            case ROWS -> {
                if (t.is(1, Keyword.FROM) && t.type(2) == Lexer.OPEN) {
                    l.state(Levels.FROM_TAIL);
                    t.advance(3);
                    l.push(Levels.FROM_ITEM);
                } else {
                    fromName();
                }
            }
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    l.state(Levels.FROM_TAIL);
                    t.advance();
                    l.push(Levels.QUERY_OR_TABLES);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    l.pop();
                } else {
                    fromName();
                }
            }
        }
    }

    private void fromName() {
        l.state(Levels.FROM_TAIL);
        if (!t.isLabel(0)) {
            expressions.token();
            return;
        }
        int parts = expressions.chain();
        if (t.type(2 * parts - 1) == Lexer.OPEN) {
            expressions.call(parts);
            return;
        }
        if (parts > 1 || t.isName(0)) {
            f.relation(parts);
        }
        t.advance(2 * parts - 1);
        if (t.isOperator(0, '*')) {
            t.advance();
        }
    }

    /** A relation's name where it can be nothing else, CTEs included. */
    void relationName() {
        if (t.is(0, Keyword.ONLY)) {
            t.advance();
        }
        if (t.isName(0)) {
            int parts = expressions.chain();
            f.relation(parts);
            t.advance(2 * parts - 1);
        }
    }

    /** False when the token is one of an expression, which the caller reads. */
    boolean fromTail() {
        Keyword keyword = t.keyword(0);
        switch (keyword) {
            case JOIN -> {
                l.state(Levels.FROM_ITEM);
                t.advance();
            }
            case ON -> {
                l.state(t.is(1, Keyword.CONFLICT) ? Levels.BODY : Levels.FROM_ON);
                t.advance();
            }
            case USING -> {
                t.advance();
                if (l.verb() == Levels.MERGE && t.type(0) != Lexer.OPEN) {
                    l.state(Levels.FROM_ITEM);
                } else if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    l.push(Levels.SKIPPED);
                }
            }
            case AS -> {
                t.advance();
                alias();
            }
            case LEFT, RIGHT, INNER, OUTER, FULL, CROSS, NATURAL -> t.advance();
            case TABLESAMPLE -> {
                t.advance();
                if (t.isLabel(0)) {
                    int parts = expressions.chain();
                    f.function(parts);
                    t.advance(2 * parts - 1);
                }
            }
            case WITH -> t.advance(2);
            default -> {
                if (endsFrom(keyword)) {
                    l.state(Levels.BODY);
                } else if (t.type(0) == Lexer.COMMA) {
                    l.state(Levels.FROM_ITEM);
                    t.advance();
                } else if (t.isName(0)) {
                    alias();
                } else {
                    return false;
                }
            }
        }
        return true;
    }

    private void alias() {
        if (t.isLabel(0)) {
            t.advance();
        }
        if (t.type(0) == Lexer.OPEN) {
            t.advance();
            l.push(Levels.COLUMN);
        }
    }

    private boolean endsFrom(Keyword keyword) {
        return switch (keyword) {
            case WHERE, GROUP, HAVING, ORDER, LIMIT, OFFSET, FETCH, WINDOW, FOR, RETURNING, UNION, INTERSECT, EXCEPT ->
                true;
            case WHEN -> l.verb() == Levels.MERGE;
            default -> t.type(0) == Lexer.SEMICOLON;
        };
    }

    /** False when the token is one of an expression, which the caller reads. */
    boolean fromOn() {
        Keyword keyword = t.keyword(0);
        switch (keyword) {
            case JOIN -> {
                l.state(Levels.FROM_ITEM);
                t.advance();
            }
            case INNER, CROSS, NATURAL, FULL -> t.advance();
            case ON -> {
                if (t.is(1, Keyword.CONFLICT)) {
                    l.state(Levels.BODY);
                }
                t.advance();
            }
            default -> {
                if (endsFrom(keyword)) {
                    l.state(Levels.BODY);
                } else if (t.type(0) == Lexer.COMMA) {
                    l.state(Levels.FROM_ITEM);
                    t.advance();
                } else {
                    return false;
                }
            }
        }
        return true;
    }
}
