package dev.tenantry.sql;

import java.util.Arrays;

/** One level for each open parenthesis: what a name means there, and which common tables are in scope. */
final class Levels {

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

    static final byte FROM_TAIL = 6;
    static final byte FROM_ON = 7;
    static final byte SET_TARGET = 8;
    static final byte SET_VALUE = 9;
    /** Names that are no references: column lists. */
    static final byte SKIPPED = 10;
    /** {@code CAST(x AS type)}. */
    static final byte CAST_ARGUMENT = 11;
    /** Columns with types, or only aliases: {@code AS x(a, b)}, {@code AS x(a int, b s.t)}. */
    static final byte COLUMN = 12;

    static final byte COLUMN_REST = 13;
    static final byte WITH_NAME = 14;
    static final byte WITH_AS = 15;
    static final byte WITH_AFTER = 16;
    static final byte WITH_CLAUSE = 17;
    /** The index columns of ON CONFLICT: an expression, then perhaps an operator class. */
    static final byte ARBITER = 18;

    static final byte ARBITER_REST = 19;

    static final byte SELECT = 0;
    static final byte UPDATE = 1;
    static final byte DELETE = 2;
    static final byte MERGE = 3;

    private final Findings f;
    private byte[] states = new byte[32];
    private byte[] verbs = new byte[32];
    private int[] commonTables = new int[32];
    private int[] recursive = new int[32];
    private String[] withNames = new String[32];
    private int level;
    private Keyword mainVerb = Keyword.SELECT;
    private Keyword previous = Keyword.NONE;

    Levels(Findings findings) {
        f = findings;
        Arrays.fill(withNames, "");
    }

    /** Begins again, with one level in this state. */
    void begin(byte state) {
        level = -1;
        mainVerb = Keyword.SELECT;
        push(state);
    }

    int depth() {
        return level;
    }

    byte state() {
        return states[level];
    }

    void state(byte state) {
        states[level] = state;
    }

    byte verb() {
        return verbs[level];
    }

    void verb(byte verb) {
        verbs[level] = verb;
    }

    /** The verb of the whole statement, when it is not a query. */
    Keyword mainVerb() {
        return mainVerb;
    }

    void mainVerb(Keyword verb) {
        mainVerb = level == 0 ? verb : mainVerb;
    }

    /** The keyword that the token before was. */
    Keyword previous() {
        return previous;
    }

    void previous(Keyword keyword) {
        previous = keyword;
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

    void forgetCommonTables() {
        f.forgetCommonTables(commonTables[level]);
    }

    // --- WITH -------------------------------------------------------------------------------------------------------

    /** The name of the common table that is being read; empty when there is none. */
    String withName() {
        return withNames[level];
    }

    void withName(String name) {
        withNames[level] = name;
    }

    void beginRecursive() {
        recursive[level] = f.beginRecursiveList();
    }

    boolean isRecursive() {
        return recursive[level] >= 0;
    }

    void endWith() {
        if (recursive[level] >= 0) {
            f.endRecursiveList(recursive[level]);
            recursive[level] = -1;
        }
    }
}
