package dev.tenantry.sql;

/** CREATE TABLE, FOREIGN TABLE, INDEX, and the actions of ALTER TABLE and its relatives. */
final class TableReader {

    private final NameReader n;
    private final Lexer t;
    private final Findings f;

    TableReader(NameReader names) {
        n = names;
        t = names.t;
        f = names.f;
    }

    // --- CREATE TABLE -----------------------------------------------------------------------------------------------

    /** After CREATE ... TABLE; stops after AS, before the query or EXECUTE, or at the end of the definition. */
    boolean create() {
        n.ifExists();
        n.relation();
        boolean typed = false;
        if (n.optional(Keyword.OF)) {
            n.type();
            typed = true;
        } else if (t.is(0, Keyword.PARTITION) && t.is(1, Keyword.OF)) {
            t.advance(2);
            n.relation();
            typed = true;
        }
        if (t.type(0) == Lexer.OPEN) {
            elements(typed);
        }
        while (!n.atEnd() && t.type(0) != Lexer.SEMICOLON && !startsSchemaElement()) {
            switch (t.keyword(0)) {
                case AS -> {
                    t.advance();
                    return true;
                }
                case INHERITS -> {
                    t.advance();
                    parenthesizedRelations();
                }
                case PARTITION -> partitionBy();
                case WITH -> {
                    t.advance();
                    n.skipParenthesis();
                }
                case USING, TABLESPACE, SERVER -> t.advance(2);
                default -> n.step();
            }
        }
        return false;
    }

    /** Inside CREATE SCHEMA the next element begins without a semicolon. */
    private boolean startsSchemaElement() {
        return t.is(0, Keyword.CREATE) || t.is(0, Keyword.GRANT);
    }

    private void parenthesizedRelations() {
        if (t.type(0) == Lexer.OPEN) {
            t.advance();
            n.relations();
            if (t.type(0) == Lexer.CLOSE) {
                t.advance();
            }
        }
    }

    private void partitionBy() {
        t.advance();
        if (n.optional(Keyword.BY)) {
            t.advance();
            indexElements();
        }
    }

    private void elements(boolean typed) {
        t.advance();
        while (t.type(0) != Lexer.CLOSE && !n.atEnd()) {
            if (t.type(0) == Lexer.COMMA || t.type(0) == Lexer.SEMICOLON) {
                t.advance();
            } else {
                element(typed);
            }
        }
        t.advance();
    }

    private void element(boolean typed) {
        if (t.is(0, Keyword.LIKE)) {
            t.advance();
            n.relation();
            while (!n.elementEnds()) {
                t.advance();
            }
        } else if (!constraintStarts()) {
            t.advance();
            if (!typed && !n.elementEnds()) {
                n.type();
            }
        }
        qualifiers();
    }

    boolean constraintStarts() {
        return switch (t.keyword(0)) {
            case CONSTRAINT, CHECK, UNIQUE, PRIMARY, FOREIGN -> true;
            case EXCLUDE -> t.type(1) == Lexer.OPEN || t.is(1, Keyword.USING);
            case NOT -> t.is(1, Keyword.NULL);
            default -> false;
        };
    }

    /** Constraints and other clauses of a column or table, up to the element's end. */
    void qualifiers() {
        while (!n.elementEnds()) {
            switch (t.keyword(0)) {
                case REFERENCES -> {
                    t.advance();
                    n.relation();
                    n.skipParenthesis();
                }
                case EXCLUDE -> exclude();
                case CONSTRAINT -> t.advance(2);
                case AS -> t.advance();
                case WITH -> {
                    t.advance();
                    n.skipParenthesis();
                }
                case IDENTITY -> {
                    t.advance();
                    sequenceParenthesis();
                }
                case STORAGE, COMPRESSION, TABLESPACE -> t.advance(2);
                default -> n.step();
            }
        }
    }

    private void exclude() {
        t.advance();
        if (n.optional(Keyword.USING)) {
            t.advance();
        }
        indexElements();
    }

    private void sequenceParenthesis() {
        if (t.type(0) != Lexer.OPEN) {
            return;
        }
        t.advance();
        while (t.type(0) != Lexer.CLOSE && !n.atEnd()) {
            sequenceOption();
        }
        t.advance();
    }

    /** One option of a sequence. */
    void sequenceOption() {
        if (t.is(0, Keyword.OWNED) && t.is(1, Keyword.BY)) {
            t.advance(2);
            column();
        } else if (t.is(0, Keyword.SEQUENCE) && t.is(1, Keyword.NAME)) {
            t.advance(2);
            n.reference();
        } else if (n.optional(Keyword.AS)) {
            n.type();
        } else {
            t.advance();
        }
    }

    /** {@code table.column}, {@code schema.table.column}, or NONE. */
    void column() {
        if (!t.isLabel(0)) {
            return;
        }
        int parts = n.chain();
        if (parts > 1) {
            f.target(parts - 1);
        }
        t.advance(2 * parts - 1);
    }

    // --- indexes ----------------------------------------------------------------------------------------------------

    /** After CREATE [UNIQUE] INDEX. */
    void createIndex() {
        n.optional(Keyword.CONCURRENTLY);
        n.ifExists();
        while (!t.is(0, Keyword.ON) && !n.atEnd()) {
            t.advance();
        }
        t.advance();
        n.relation();
        if (n.optional(Keyword.USING)) {
            t.advance();
        }
        indexElements();
        while (!n.atEnd() && !startsSchemaElement()) {
            if (n.optional(Keyword.WITH)) {
                n.skipParenthesis();
            } else if (t.is(0, Keyword.TABLESPACE)) {
                t.advance(2);
            } else {
                n.step();
            }
        }
    }

    /** {@code (expression [COLLATE c] [operator class] ...  [WITH operator], ...)}. */
    void indexElements() {
        if (t.type(0) != Lexer.OPEN) {
            return;
        }
        t.advance();
        while (t.type(0) != Lexer.CLOSE && !n.atEnd()) {
            if (t.type(0) == Lexer.COMMA) {
                t.advance();
                continue;
            }
            n.step();
            if (t.is(0, Keyword.COLLATE)) {
                n.step();
            }
            if (operatorClassStarts()) {
                n.reference();
                n.skipParenthesis();
            }
            n.restOfElement();
            if (t.type(0) == Lexer.SEMICOLON) {
                t.advance();
            }
        }
        t.advance();
    }

    private boolean operatorClassStarts() {
        return switch (t.keyword(0)) {
            case ASC, DESC, NULLS, WITH -> false;
            default -> t.isLabel(0);
        };
    }

    // --- ALTER TABLE and its relatives ------------------------------------------------------------------------------

    /** After the relation's name. */
    void alterations() {
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case ADD -> add();
                case SET -> set();
                case TYPE -> {
                    t.advance();
                    n.type();
                    n.restOfElement();
                }
                case INHERIT -> {
                    t.advance();
                    n.relation();
                }
                case PARTITION -> {
                    t.advance();
                    n.relation();
                }
                case OF -> {
                    t.advance();
                    n.type();
                }
                case ALTER -> alterColumn();
                case RESET -> {
                    t.advance();
                    n.skipParenthesis();
                }
                case OWNED, AS -> sequenceOption();
                case RENAME, DROP, OWNER, VALIDATE, ENABLE, DISABLE, CLUSTER, REPLICA -> {
                    while (!n.elementEnds()) {
                        t.advance();
                    }
                }
                default -> n.step();
            }
        }
    }

    private void add() {
        t.advance();
        n.optional(Keyword.COLUMN);
        if (constraintStarts()) {
            qualifiers();
            return;
        }
        n.ifExists();
        t.advance();
        n.type();
        qualifiers();
    }

    private void alterColumn() {
        t.advance();
        if (t.is(0, Keyword.CONSTRAINT)) {
            t.advance(2);
            return;
        }
        n.optional(Keyword.COLUMN);
        t.advance();
        if (t.is(0, Keyword.ADD) && t.is(1, Keyword.GENERATED)) {
            qualifiers();
        } else if (t.is(0, Keyword.SET) && t.is(1, Keyword.DATA)) {
            t.advance(2);
        } else if (t.is(0, Keyword.SET) && t.type(1) != Lexer.OPEN) {
            t.advance();
            while (!n.elementEnds()) {
                if (t.is(0, Keyword.SET)) {
                    t.advance();
                } else if (t.is(0, Keyword.SEQUENCE)) {
                    t.advance();
                } else {
                    n.step();
                }
            }
        }
    }

    private void set() {
        t.advance();
        switch (t.keyword(0)) {
            case SCHEMA -> {
                if (t.isName(1)) {
                    f.schema(t.name(1));
                }
                t.advance(2);
            }
            case TABLESPACE, ACCESS, LOGGED, UNLOGGED, WITHOUT -> t.advance(2);
            default -> {
                if (t.type(0) == Lexer.OPEN) {
                    n.skipParenthesis();
                }
            }
        }
    }
}
