package dev.tenantry.sql;

import java.util.Arrays;

/**
 * Finds the names in queries, data changes and expressions, without a grammar: each parenthesis has a level with a
 * state that says what a name means at that place. Iterative, so nesting costs memory and no stack.
 */
final class QueryWalker {

    /** A statement begins here. */
    static final byte QUERY = 0;
    /** A parenthesis of an expression: a query when it begins like one. */
    static final byte QUERY_OR_EXPRESSION = 1;
    /** A parenthesis of a FROM list: a query when it begins like one, else joined tables. */
    static final byte QUERY_OR_TABLES = 2;
    /** An expression outside a query's clauses. */
    static final byte EXPRESSION = 3;
    /** A query, anywhere but in its FROM list. */
    static final byte BODY = 4;

    /** A relation, or what stands for one, is next. */
    static final byte FROM_ITEM = 5;

    private static final byte FROM_TAIL = 6;
    private static final byte FROM_ON = 7;
    private static final byte SET_TARGET = 8;
    private static final byte SET_VALUE = 9;
    /** Names that are no references: column lists. */
    static final byte SKIPPED = 10;
    /** {@code CAST(x AS type)}. */
    private static final byte CAST_ARGUMENT = 11;
    /** Columns with types, or only aliases: {@code AS x(a, b)}, {@code AS x(a int, b s.t)}. */
    static final byte COLUMN = 12;

    static final byte COLUMN_REST = 13;
    private static final byte WITH_NAME = 14;
    private static final byte WITH_AS = 15;
    private static final byte WITH_AFTER = 16;
    private static final byte WITH_CLAUSE = 17;
    /** The index columns of ON CONFLICT: an expression, then perhaps an operator class. */
    private static final byte ARBITER = 18;

    private static final byte ARBITER_REST = 19;

    private final Lexer t;
    private final Findings f;
    private final Expressions expressions;
    private byte[] states = new byte[32];
    private byte[] verbs = new byte[32];
    private int[] commonTables = new int[32];
    private int[] recursive = new int[32];
    private String[] withNames = new String[32];
    private int level;
    private Keyword mainVerb = Keyword.SELECT;
    private Keyword previous = Keyword.NONE;

    private static final byte SELECT = 0;
    private static final byte UPDATE = 1;
    private static final byte DELETE = 2;
    private static final byte MERGE = 3;

    QueryWalker(Lexer lexer, Findings findings) {
        t = lexer;
        f = findings;
        expressions = new Expressions(lexer, findings, this);
        Arrays.fill(withNames, "");
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
        level = -1;
        mainVerb = Keyword.SELECT;
        push(state);
        while (t.type(0) != Lexer.END) {
            Keyword keyword = t.keyword(0);
            if (level == 0 && (keyword == Keyword.CREATE || keyword == Keyword.GRANT)) {
                return;
            }
            step();
            previous = keyword;
        }
    }

    /** The verb of the statement that {@link #run} has read, when it is not a query. */
    Keyword mainVerb() {
        return mainVerb;
    }

    /** Reads one parenthesis, whose opening token is the current one, and what is nested in it. */
    void runParenthesis(byte state) {
        level = -1;
        push(EXPRESSION);
        t.advance();
        push(state);
        while (t.type(0) != Lexer.END && level > 0) {
            Keyword keyword = t.keyword(0);
            step();
            previous = keyword;
        }
    }

    /** Reads one token, or one name, of an expression at the top; parentheses that it opens are read whole. */
    void runExpressionStep() {
        level = -1;
        push(EXPRESSION);
        do {
            Keyword keyword = t.keyword(0);
            step();
            previous = keyword;
        } while (t.type(0) != Lexer.END && level > 0);
    }

    void push(byte state) {
        level++;
        if (level == states.length) {
            int size = level * 2;
            states = Arrays.copyOf(states, size);
            verbs = Arrays.copyOf(verbs, size);
            commonTables = Arrays.copyOf(commonTables, size);
            recursive = Arrays.copyOf(recursive, size);
            withNames = Arrays.copyOf(withNames, size);
            Arrays.fill(withNames, level, size, "");
        }
        states[level] = state;
        verbs[level] = SELECT;
        commonTables[level] = f.commonTableCount();
        recursive[level] = -1;
        previous = Keyword.NONE;
    }

    void pop() {
        if (level == 0) {
            return;
        }
        endWith();
        f.forgetCommonTables(commonTables[level]);
        level--;
    }

    private void endWith() {
        if (recursive[level] >= 0) {
            f.endRecursiveList(recursive[level]);
            recursive[level] = -1;
        }
    }

    private void state(byte state) {
        states[level] = state;
    }

    Keyword previous() {
        return previous;
    }

    private void step() {
        switch (states[level]) {
            case QUERY -> start(BODY, QUERY);
            case QUERY_OR_EXPRESSION -> start(EXPRESSION, QUERY_OR_EXPRESSION);
            case QUERY_OR_TABLES -> start(FROM_ITEM, QUERY_OR_TABLES);
            case FROM_ITEM -> fromItem();
            case FROM_TAIL -> fromTail();
            case FROM_ON -> fromOn();
            case SET_TARGET -> setTarget();
            case SKIPPED -> skipped();
            case COLUMN -> column();
            case WITH_NAME, WITH_AS, WITH_AFTER, WITH_CLAUSE -> with();
            case BODY, SET_VALUE -> body();
            case ARBITER, ARBITER_REST -> arbiter();
            default -> expression();
        }
    }

    // --- where a query may begin ------------------------------------------------------------------------------------

    private void start(byte otherwise, byte nested) {
        switch (t.keyword(0)) {
            case SELECT, VALUES -> {
                state(BODY);
                t.advance();
            }
            case TABLE -> {
                state(BODY);
                t.advance();
                relationName();
            }
            case WITH -> {
                state(WITH_NAME);
                t.advance();
                if (t.is(0, Keyword.RECURSIVE)) {
                    recursive[level] = f.beginRecursiveList();
                    t.advance();
                }
            }
            case INSERT, UPDATE, DELETE, MERGE -> {
                if (nested == QUERY) {
                    change();
                } else {
                    state(otherwise);
                }
            }
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    state(nested == QUERY_OR_TABLES ? FROM_TAIL : otherwise);
                    t.advance();
                    push(nested);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    pop();
                } else {
                    state(otherwise);
                }
            }
        }
    }

    private void with() {
        switch (states[level]) {
            case WITH_NAME -> {
                withNames[level] = t.isLabel(0) ? t.name(0) : "";
                if (recursive[level] >= 0) {
                    f.commonTable(withNames[level]);
                }
                state(WITH_AS);
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    push(SKIPPED);
                }
            }
            case WITH_AS -> {
                if (t.type(0) == Lexer.OPEN) {
                    state(WITH_AFTER);
                    t.advance();
                    push(QUERY);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    pop();
                } else {
                    t.advance();
                }
            }
            case WITH_CLAUSE -> {
                boolean set = t.is(0, Keyword.SET);
                t.advance(set ? 2 : 1);
                if (set) {
                    state(WITH_AFTER);
                }
            }
            default -> afterCommonTable();
        }
    }

    private void afterCommonTable() {
        if (recursive[level] < 0 && !withNames[level].isEmpty()) {
            f.commonTable(withNames[level]);
        }
        withNames[level] = "";
        switch (t.keyword(0)) {
            case SEARCH, CYCLE -> {
                state(WITH_CLAUSE);
                t.advance();
            }
            case USING -> t.advance(2);
            case SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE -> {
                endWith();
                state(QUERY);
            }
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    endWith();
                    state(QUERY);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    pop();
                } else {
                    if (t.type(0) == Lexer.COMMA) {
                        state(WITH_NAME);
                    }
                    t.advance();
                }
            }
        }
    }

    // --- INSERT, UPDATE, DELETE, MERGE ------------------------------------------------------------------------------

    private void change() {
        Keyword verb = t.keyword(0);
        mainVerb = level == 0 ? verb : mainVerb;
        f.effect();
        t.advance();
        state(BODY);
        if (verb == Keyword.INSERT) {
            t.advance();
            targetName();
            insertSource();
        } else if (verb == Keyword.UPDATE) {
            verbs[level] = UPDATE;
            targetName();
            if (t.is(0, Keyword.SET)) {
                t.advance();
                state(SET_TARGET);
            }
        } else {
            verbs[level] = verb == Keyword.DELETE ? DELETE : MERGE;
            t.advance();
            targetName();
        }
    }

    private void insertSource() {
        if (t.type(0) == Lexer.OPEN) {
            switch (t.keyword(1)) {
                case SELECT, WITH, VALUES, TABLE -> {
                    state(QUERY);
                    return;
                }
                default -> {
                    if (t.type(1) == Lexer.OPEN) {
                        state(QUERY);
                        return;
                    }
                    t.advance();
                    state(QUERY);
                    push(SKIPPED);
                    return;
                }
            }
        }
        state(QUERY);
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

    private void setTarget() {
        byte type = t.type(0);
        if (t.isOperator(0, '=')) {
            state(SET_VALUE);
            t.advance();
        } else if (type == Lexer.OPEN || type == Lexer.OPEN_BRACKET) {
            t.advance();
            push(type == Lexer.OPEN ? SKIPPED : EXPRESSION);
        } else if (type == Lexer.CLOSE) {
            t.advance();
            pop();
        } else {
            t.advance();
        }
    }

    private void skipped() {
        byte type = t.type(0);
        t.advance();
        if (type == Lexer.OPEN || type == Lexer.OPEN_BRACKET) {
            push(SKIPPED);
        } else if (type == Lexer.CLOSE || type == Lexer.CLOSE_BRACKET) {
            pop();
        }
    }

    // --- FROM -------------------------------------------------------------------------------------------------------

    private void fromItem() {
        switch (t.keyword(0)) {
            case LATERAL -> t.advance();
            case ONLY -> t.advance();
            case SELECT, VALUES, WITH, TABLE -> state(QUERY);
            case ROWS -> {
                if (t.is(1, Keyword.FROM) && t.type(2) == Lexer.OPEN) {
                    state(FROM_TAIL);
                    t.advance(3);
                    push(FROM_ITEM);
                } else {
                    fromName();
                }
            }
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    state(FROM_TAIL);
                    t.advance();
                    push(QUERY_OR_TABLES);
                } else if (t.type(0) == Lexer.CLOSE) {
                    t.advance();
                    pop();
                } else {
                    fromName();
                }
            }
        }
    }

    private void fromName() {
        state(FROM_TAIL);
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
    private void relationName() {
        if (t.is(0, Keyword.ONLY)) {
            t.advance();
        }
        if (t.isName(0)) {
            int parts = expressions.chain();
            f.relation(parts);
            t.advance(2 * parts - 1);
        }
    }

    private void fromTail() {
        Keyword keyword = t.keyword(0);
        switch (keyword) {
            case JOIN -> {
                state(FROM_ITEM);
                t.advance();
            }
            case ON -> {
                state(t.is(1, Keyword.CONFLICT) ? BODY : FROM_ON);
                t.advance();
            }
            case USING -> {
                t.advance();
                if (verbs[level] == MERGE && t.type(0) != Lexer.OPEN) {
                    state(FROM_ITEM);
                } else if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    push(SKIPPED);
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
                    state(BODY);
                } else if (t.type(0) == Lexer.COMMA) {
                    state(FROM_ITEM);
                    t.advance();
                } else if (t.isName(0)) {
                    alias();
                } else {
                    expression();
                }
            }
        }
    }

    private void alias() {
        if (t.isLabel(0)) {
            t.advance();
        }
        if (t.type(0) == Lexer.OPEN) {
            t.advance();
            push(COLUMN);
        }
    }

    private boolean endsFrom(Keyword keyword) {
        return switch (keyword) {
            case WHERE, GROUP, HAVING, ORDER, LIMIT, OFFSET, FETCH, WINDOW, FOR, RETURNING, UNION, INTERSECT, EXCEPT ->
                true;
            case WHEN -> verbs[level] == MERGE;
            default -> t.type(0) == Lexer.SEMICOLON;
        };
    }

    private void fromOn() {
        Keyword keyword = t.keyword(0);
        switch (keyword) {
            case JOIN -> {
                state(FROM_ITEM);
                t.advance();
            }
            case INNER, CROSS, NATURAL, FULL -> t.advance();
            case ON -> {
                if (t.is(1, Keyword.CONFLICT)) {
                    state(BODY);
                }
                t.advance();
            }
            default -> {
                if (endsFrom(keyword)) {
                    state(BODY);
                } else if (t.type(0) == Lexer.COMMA) {
                    state(FROM_ITEM);
                    t.advance();
                } else {
                    expression();
                }
            }
        }
    }

    // --- columns with types -----------------------------------------------------------------------------------------

    private void column() {
        if (!t.isLabel(0)) {
            states[level] = COLUMN_REST;
            return;
        }
        boolean nested = t.is(0, Keyword.NESTED) && t.type(1) != Lexer.COMMA;
        t.advance();
        states[level] = COLUMN_REST;
        if (!nested && t.isLabel(0) && !t.is(0, Keyword.FOR)) {
            expressions.type();
        }
    }

    // --- everything else of a query ---------------------------------------------------------------------------------

    private void body() {
        byte type = t.type(0);
        if (type == Lexer.COMMA && states[level] == SET_VALUE) {
            state(SET_TARGET);
            t.advance();
            return;
        }
        if (type != Lexer.IDENT) {
            expression();
            return;
        }
        switch (t.keyword(0)) {
            case FROM -> {
                if (previous != Keyword.DISTINCT) {
                    state(FROM_ITEM);
                }
                t.advance();
            }
            case USING -> {
                if (verbs[level] == DELETE || verbs[level] == MERGE) {
                    state(FROM_ITEM);
                }
                t.advance();
            }
            case INTO -> {
                t.advance();
                into();
            }
            case WHERE, RETURNING, WHEN -> {
                if (t.keyword(0) != Keyword.WHEN || verbs[level] == MERGE) {
                    state(BODY);
                }
                t.advance();
            }
            case SET -> {
                boolean assignments = previous == Keyword.UPDATE;
                t.advance();
                if (assignments) {
                    state(SET_TARGET);
                }
            }
            case INSERT -> {
                boolean action = previous == Keyword.THEN && verbs[level] == MERGE;
                t.advance();
                if (action && t.type(0) == Lexer.OPEN) {
                    t.advance();
                    push(SKIPPED);
                }
            }
            case FOR -> {
                switch (t.keyword(1)) {
                    case UPDATE, SHARE, NO, KEY -> f.effect();
                    default -> {}
                }
                t.advance();
            }
            case CONFLICT -> {
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    push(ARBITER);
                }
            }
            case OVERRIDING -> t.advance(t.is(2, Keyword.VALUE) ? 3 : 1);
            default -> expression();
        }
    }

    private void arbiter() {
        boolean rest = states[level] == ARBITER_REST;
        if (t.type(0) == Lexer.COMMA) {
            state(ARBITER);
            t.advance();
        } else if (rest && t.isLabel(0) && !t.is(0, Keyword.COLLATE)) {
            int parts = expressions.chain();
            if (parts > 1) {
                f.type(parts);
            }
            t.advance(2 * parts - 1);
        } else {
            state(ARBITER_REST);
            expression();
        }
    }

    private void into() {
        switch (t.keyword(0)) {
            case TEMPORARY, TEMP, UNLOGGED, LOCAL, GLOBAL, TABLE -> {
                if (t.isLabel(1)) {
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
            t.advance(2 * parts - 1);
        }
    }

    private void expression() {
        switch (t.type(0)) {
            case Lexer.OPEN -> {
                t.advance();
                push(QUERY_OR_EXPRESSION);
            }
            case Lexer.OPEN_BRACKET -> {
                t.advance();
                push(EXPRESSION);
            }
            case Lexer.CLOSE, Lexer.CLOSE_BRACKET -> {
                t.advance();
                pop();
            }
            case Lexer.SEMICOLON -> {
                t.advance();
                f.forgetCommonTables(commonTables[level]);
                state(QUERY);
            }
            case Lexer.COMMA -> {
                if (states[level] == COLUMN_REST) {
                    state(COLUMN);
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
                state(BODY);
                t.advance();
            }
            case UNION, INTERSECT, EXCEPT -> {
                t.advance();
                if (t.is(0, Keyword.ALL) || t.is(0, Keyword.DISTINCT)) {
                    t.advance();
                }
                state(QUERY);
            }
            case AS -> {
                t.advance();
                if (states[level] == CAST_ARGUMENT) {
                    expressions.type();
                } else if (t.isLabel(0)) {
                    t.advance();
                }
            }
            case CAST, TREAT, XMLSERIALIZE -> {
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    push(CAST_ARGUMENT);
                }
            }
            case RETURNING -> {
                boolean json = states[level] == EXPRESSION;
                t.advance();
                if (json) {
                    expressions.type();
                }
            }
            case COLUMNS -> {
                t.advance();
                if (t.type(0) == Lexer.OPEN) {
                    t.advance();
                    push(COLUMN);
                } else if (states[level] == EXPRESSION && t.isLabel(0)) {
                    state(COLUMN);
                }
            }
            default -> expressions.token();
        }
    }
}
