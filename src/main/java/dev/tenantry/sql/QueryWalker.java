package dev.tenantry.sql;

/**
 * Finds the names in queries, data changes and expressions, without a grammar: each parenthesis has a level with a
 * state that says what a name means at that place. Iterative, so nesting costs memory and no stack.
 */
final class QueryWalker {

    private final Lexer t;
    private final Levels l;
    private final Findings f;
    private final Expressions expressions;
    private final WithClause with;
    private final ChangeClause changes;
    private final FromClause from;

    QueryWalker(Lexer lexer, Findings findings) {
        t = lexer;
        f = findings;
        l = new Levels(findings);
        expressions = new Expressions(lexer, findings, l);
        with = new WithClause(lexer, findings, l);
        changes = new ChangeClause(lexer, findings, l, expressions);
        from = new FromClause(lexer, findings, l, expressions);
    }

    /** How many parts the name has that begins at the current token. */
    int chain() {
        return expressions.chain();
    }

    /** Reads a type's name. */
    void type() {
        expressions.type();
    }

    /** Reads to the end of the statement, or of the element of CREATE SCHEMA, beginning in this state. */
    void run(byte state) {
        l.begin(state);
        while (t.type(0) != Lexer.END) {
            Keyword keyword = t.keyword(0);
            if (l.depth() == 0 && (keyword == Keyword.CREATE || keyword == Keyword.GRANT)) {
                return;
            }
            step();
            l.previous(keyword);
        }
    }

    /** The verb of the statement that {@link #run} has read, when it is not a query. */
    Keyword mainVerb() {
        return l.mainVerb();
    }

    /** Reads one parenthesis, whose opening token is the current one, and what is nested in it. */
    void runParenthesis(byte state) {
        l.begin(Levels.EXPRESSION);
        t.advance();
        l.push(state);
        while (t.type(0) != Lexer.END && l.depth() > 0) {
            Keyword keyword = t.keyword(0);
            step();
            l.previous(keyword);
        }
    }

    /** Reads one token, or one name, of an expression at the top; parentheses that it opens are read whole. */
    void runExpressionStep() {
        l.begin(Levels.EXPRESSION);
        do {
            Keyword keyword = t.keyword(0);
            step();
            l.previous(keyword);
        } while (t.type(0) != Lexer.END && l.depth() > 0);
    }

    private void step() {
        switch (l.state()) {
            case Levels.QUERY -> start(Levels.BODY, Levels.QUERY);
            case Levels.QUERY_OR_EXPRESSION -> start(Levels.EXPRESSION, Levels.QUERY_OR_EXPRESSION);
            case Levels.QUERY_OR_TABLES -> start(Levels.FROM_ITEM, Levels.QUERY_OR_TABLES);
            case Levels.FROM_ITEM -> from.fromItem();
            case Levels.FROM_TAIL -> orExpression(from.fromTail());
            case Levels.FROM_ON -> orExpression(from.fromOn());
            case Levels.SET_TARGET -> changes.setTarget();
            case Levels.SKIPPED -> changes.skipped();
            case Levels.COLUMN -> column();
            case Levels.WITH_NAME, Levels.WITH_AS, Levels.WITH_AFTER, Levels.WITH_CLAUSE -> with.with();
            case Levels.BODY, Levels.SET_VALUE -> body();
            case Levels.ARBITER, Levels.ARBITER_REST -> orExpression(changes.arbiter());
            default -> expression();
        }
    }

    private void orExpression(boolean read) {
        if (!read) {
            expression();
        }
    }

    // --- where a query may begin ------------------------------------------------------------------------------------

    private void start(byte otherwise, byte nested) {
        switch (t.keyword(0)) {
            case SELECT, VALUES -> {
                l.state(Levels.BODY);
                t.advance();
            }
            case TABLE -> {
                l.state(Levels.BODY);
                t.advance();
                from.relationName();
            }
            case WITH -> {
                l.state(Levels.WITH_NAME);
                t.advance();
                if (t.is(0, Keyword.RECURSIVE)) {
                    l.beginRecursive();
                    t.advance();
                }
            }
            case INSERT, UPDATE, DELETE, MERGE -> {
                if (nested == Levels.QUERY) {
                    changes.change();
                } else {
                    l.state(otherwise);
                }
            }
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    l.state(nested == Levels.QUERY_OR_TABLES ? Levels.FROM_TAIL : otherwise);
                    t.advance();
                    l.push(nested);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    l.pop();
                } else {
                    l.state(otherwise);
                }
            }
        }
    }

    // --- columns with types -----------------------------------------------------------------------------------------

    private void column() {
        if (!t.isLabel(0)) {
            l.state(Levels.COLUMN_REST);
            return;
        }
        boolean nested = t.is(0, Keyword.NESTED) && t.type(1) != Lexer.COMMA;
        t.advance();
        l.state(Levels.COLUMN_REST);
        if (!nested && t.isLabel(0) && !t.is(0, Keyword.FOR)) {
            expressions.type();
        }
    }

    // --- everything else of a query ---------------------------------------------------------------------------------

    private void body() {
        byte type = t.type(0);
        if (type == Lexer.COMMA && l.state() == Levels.SET_VALUE) {
            l.state(Levels.SET_TARGET);
            t.advance();
            return;
        }
        if (type != Lexer.IDENT) {
            expression();
            return;
        }
        switch (t.keyword(0)) {
            case FROM -> {
                if (l.previous() != Keyword.DISTINCT) {
                    l.state(Levels.FROM_ITEM);
                }
                t.advance();
            }
            case USING -> {
                if (l.verb() == Levels.DELETE || l.verb() == Levels.MERGE) {
                    l.state(Levels.FROM_ITEM);
                }
                t.advance();
            }
            case INTO -> {
                t.advance();
                changes.into();
            }
            case WHERE, RETURNING, WHEN -> {
                if (t.keyword(0) != Keyword.WHEN || l.verb() == Levels.MERGE) {
                    l.state(Levels.BODY);
                }
                t.advance();
            }
            case SET -> {
                boolean assignments = l.previous() == Keyword.UPDATE;
                t.advance();
                if (assignments) {
                    l.state(Levels.SET_TARGET);
                }
            }
            case INSERT -> changes.mergeInsert();
            case FOR -> {
                switch (t.keyword(1)) {
                    case UPDATE, SHARE, NO, KEY -> f.effect();
                    default -> {}
                }
                t.advance();
            }
            case CONFLICT -> changes.conflict();
            case OVERRIDING -> t.advance(t.is(2, Keyword.VALUE) ? 3 : 1);
            default -> expression();
        }
    }

    private void expression() {
        switch (t.type(0)) {
            case Lexer.OPEN -> {
                t.advance();
                l.push(Levels.QUERY_OR_EXPRESSION);
            }
            case Lexer.OPEN_BRACKET -> {
                t.advance();
                l.push(Levels.EXPRESSION);
            }
            case Lexer.CLOSE, Lexer.CLOSE_BRACKET -> {
                t.advance();
                l.pop();
            }
            case Lexer.SEMICOLON -> {
                t.advance();
                l.forgetCommonTables();
                l.state(Levels.QUERY);
            }
            case Lexer.COMMA -> {
                if (l.state() == Levels.COLUMN_REST) {
                    l.state(Levels.COLUMN);
                }
                t.advance();
            }
            case Lexer.IDENT -> word();
            default -> expressions.token();
        }
    }

    private void word() {
        switch (t.keyword(0)) {
            case SELECT -> {
                l.state(Levels.BODY);
                t.advance();
            }
            case UNION, INTERSECT, EXCEPT -> {
                t.advance();
                if (t.is(0, Keyword.ALL) || t.is(0, Keyword.DISTINCT)) {
                    t.advance();
                }
                l.state(Levels.QUERY);
            }
            case AS -> {
                t.advance();
                if (l.state() == Levels.CAST_ARGUMENT) {
                    expressions.type();
                } else if (t.isLabel(0)) {
                    t.advance();
                }
            }
            case CAST, TREAT, XMLSERIALIZE -> {
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    l.push(Levels.CAST_ARGUMENT);
                }
            }
            case RETURNING -> {
                boolean json = l.state() == Levels.EXPRESSION;
                t.advance();
                if (json) {
                    expressions.type();
                }
            }
            case COLUMNS -> {
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    l.push(Levels.COLUMN);
                } else if (l.state() == Levels.EXPRESSION && t.isLabel(0)) {
                    l.state(Levels.COLUMN);
                }
            }
            default -> expressions.token();
        }
    }
}
