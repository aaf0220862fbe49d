package dev.tenantry.sql;

import org.jspecify.annotations.Nullable;

/** Finds the names in statements that define objects, and in the utility statements that name relations. */
final class Definitions {

    private final Lexer t;
    private final Findings f;
    private final QueryWalker queries;
    private final NameReader n;
    private final TableReader tables;
    private final ObjectReader objects;
    private @Nullable String executed;

    Definitions(Lexer lexer, Findings findings, QueryWalker walker) {
        t = lexer;
        f = findings;
        queries = walker;
        n = new NameReader(lexer, findings, walker);
        tables = new TableReader(n);
        objects = new ObjectReader(n, tables);
    }

    /** The prepared statement of the CREATE TABLE ... AS EXECUTE that was read last. */
    @Nullable
    String executed() {
        return executed;
    }

    void read(Keyword first) {
        executed = null;
        switch (first) {
            case CREATE -> create();
            case ALTER -> objects.alter();
            case DROP -> objects.drop();
            case COMMENT, SECURITY -> objects.describe();
            case GRANT, REVOKE -> objects.privileges();
            case TRUNCATE -> {
                t.advance();
                n.optional(Keyword.TABLE);
                n.relations();
            }
            case REINDEX -> reindex();
            case CLUSTER -> cluster();
            case REFRESH -> {
                t.advance(3);
                n.optional(Keyword.CONCURRENTLY);
                n.relation();
            }
            case IMPORT -> importSchema();
            default -> n.restOfStatement();
        }
    }

    // --- statements that use relations ------------------------------------------------------------------------------

    StatementKind copy() {
        f.effect();
        if (t.type(1) == Lexer.OPEN) {
            t.advance();
            queries.runParenthesis(Levels.QUERY);
            return StatementKind.COPY_TO;
        }
        t.advance(t.is(1, Keyword.BINARY) ? 2 : 1);
        n.relation();
        n.skipParenthesis();
        boolean from = t.is(0, Keyword.FROM);
        while (!n.atEnd() && !t.is(0, Keyword.WHERE)) {
            if (t.type(0) == Lexer.OPEN) {
                n.skipParenthesis();
            } else {
                t.advance();
            }
        }
        n.restOfStatement();
        return from ? StatementKind.COPY_FROM : StatementKind.COPY_TO;
    }

    StatementKind lock() {
        f.effect();
        t.advance();
        n.optional(Keyword.TABLE);
        n.relations();
        return StatementKind.LOCK;
    }

    /** VACUUM and ANALYZE. */
    StatementKind maintain(StatementKind kind) {
        f.effect();
        t.advance();
        n.skipParenthesis();
        while (isMaintenanceOption()) {
            t.advance();
        }
        while (t.isLabel(0)) {
            n.relation();
            n.skipParenthesis();
            if (t.type(0) == Lexer.COMMA) {
                t.advance();
            } else {
                break;
            }
        }
        return kind;
    }

    private boolean isMaintenanceOption() {
        return switch (t.keyword(0)) {
            case FULL, FREEZE, VERBOSE, ANALYZE, ANALYSE -> true;
            default -> false;
        };
    }

    /** SET CONSTRAINTS; whether it is for all of them. */
    boolean setConstraints() {
        f.effect();
        boolean all = t.is(1, Keyword.ALL);
        do {
            t.advance();
            if (!t.is(0, Keyword.ALL)) {
                n.reference();
            }
        } while (t.type(0) == Lexer.COMMA);
        return all;
    }

    void typeList() {
        n.typeParenthesis();
    }

    private void reindex() {
        t.advance();
        n.skipParenthesis();
        Keyword kind = t.keyword(0);
        t.advance();
        n.optional(Keyword.CONCURRENTLY);
        switch (kind) {
            case TABLE, INDEX -> n.relation();
            case SCHEMA -> {
                if (t.isName(0)) {
                    f.schema(t.name(0));
                }
            }
            default -> {}
        }
    }

    private void cluster() {
        t.advance();
        n.skipParenthesis();
        n.optional(Keyword.VERBOSE);
        if (t.isLabel(0) && t.is(1, Keyword.ON)) {
            t.advance(2);
        }
        if (t.isLabel(0)) {
            n.relation();
        }
    }

    private void importSchema() {
        while (!n.atEnd() && !t.is(0, Keyword.INTO)) {
            t.advance();
        }
        if (t.isName(1)) {
            f.schema(t.name(1));
        }
    }

    // --- CREATE -----------------------------------------------------------------------------------------------------

    void schemaElements() {
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case CREATE -> create();
                case GRANT -> objects.privileges();
                default -> t.advance();
            }
        }
    }

    private void create() {
        t.advance();
        if (t.is(0, Keyword.OR) && t.is(1, Keyword.REPLACE)) {
            t.advance(2);
        }
        while (isModifier()) {
            t.advance();
        }
        Keyword kind = t.keyword(0);
        t.advance();
        switch (kind) {
            case TABLE -> table();
            case INDEX -> tables.createIndex();
            case VIEW -> view(false);
            case RECURSIVE -> {
                t.advance();
                view(true);
            }
            case SEQUENCE -> sequence();
            case FUNCTION, PROCEDURE -> function();
            case TRIGGER -> trigger();
            case RULE -> rule();
            case POLICY -> {
                t.advance();
                n.optional(Keyword.ON);
                n.relation();
                n.restOfStatement();
            }
            default -> createOther(kind);
        }
    }

    private boolean isModifier() {
        return switch (t.keyword(0)) {
            case TEMPORARY, TEMP, LOCAL, GLOBAL, UNLOGGED, UNIQUE, MATERIALIZED, TRUSTED, PROCEDURAL -> true;
            case CONSTRAINT -> t.is(1, Keyword.TRIGGER);
            case DEFAULT -> t.is(1, Keyword.CONVERSION);
            case FOREIGN -> t.is(1, Keyword.TABLE);
            default -> false;
        };
    }

    private void createOther(Keyword kind) {
        switch (kind) {
            case TYPE -> type();
            case DOMAIN -> {
                n.object();
                n.optional(Keyword.AS);
                n.type();
                tables.qualifiers();
            }
            case AGGREGATE -> aggregate();
            case OPERATOR -> operator();
            case CAST -> {
                objects.castTypes();
                withFunctions();
            }
            case TRANSFORM -> {
                t.advance();
                n.type();
                withFunctions();
            }
            case COLLATION -> {
                n.ifExists();
                n.object();
                if (n.optional(Keyword.FROM)) {
                    n.reference();
                }
                n.definitionList();
            }
            case TEXT -> {
                t.advance(2);
                n.object();
                n.definitionList();
            }
            case STATISTICS -> statistics();
            case CONVERSION -> {
                n.object();
                untilFunction(Keyword.FROM, Keyword.FROM);
            }
            case EVENT -> untilFunction(Keyword.FUNCTION, Keyword.PROCEDURE);
            case LANGUAGE, ACCESS, FOREIGN -> handlers();
            case PUBLICATION -> {
                t.advance();
                n.optional(Keyword.FOR);
                objects.publicationObjects();
            }
            default -> {}
        }
    }

    private void table() {
        boolean query = tables.create();
        if (!query) {
            return;
        }
        if (t.is(0, Keyword.EXECUTE) && t.isName(1)) {
            executed = t.name(1);
            t.advance(2);
            n.restOfStatement();
        } else {
            queries.run(Levels.QUERY);
        }
    }

    private void view(boolean recursive) {
        n.ifExists();
        int parts = t.isLabel(0) ? n.chain() : 0;
        String name = parts == 0 ? "" : t.name(2 * (parts - 1));
        n.relation();
        while (!n.atEnd() && !t.is(0, Keyword.AS)) {
            if (t.type(0) == Lexer.OPEN) {
                n.skipParenthesis();
            } else {
                t.advance();
            }
        }
        t.advance();
        if (recursive) {
            f.commonTable(name);
        }
        queries.run(Levels.QUERY);
    }

    private void sequence() {
        n.ifExists();
        n.relation();
        while (!n.atEnd() && !t.is(0, Keyword.CREATE) && !t.is(0, Keyword.GRANT)) {
            tables.sequenceOption();
        }
    }

    private void function() {
        n.object();
        n.arguments();
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case RETURNS -> {
                    t.advance();
                    if (n.optional(Keyword.TABLE)) {
                        n.columns();
                    } else {
                        n.type();
                    }
                }
                case BEGIN -> {
                    t.advance(2);
                    queries.run(Levels.QUERY);
                }
                case TYPE -> {
                    t.advance();
                    n.type();
                }
                case SUPPORT -> {
                    t.advance();
                    n.reference();
                }
                case SET, LANGUAGE -> t.advance(2);
                default -> n.step();
            }
        }
    }

    private void trigger() {
        while (!n.atEnd() && !t.is(0, Keyword.ON)) {
            t.advance();
        }
        t.advance();
        n.relation();
        while (!n.atEnd() && !t.is(0, Keyword.CREATE) && !t.is(0, Keyword.GRANT)) {
            switch (t.keyword(0)) {
                case FROM -> {
                    t.advance();
                    n.relation();
                }
                case EXECUTE -> {
                    t.advance(2);
                    n.function();
                    n.skipParenthesis();
                }
                case REFERENCING -> {
                    while (!n.atEnd() && !t.is(0, Keyword.FOR)) {
                        t.advance();
                    }
                }
                default -> n.step();
            }
        }
    }

    private void rule() {
        while (!n.atEnd() && !t.is(0, Keyword.TO)) {
            t.advance();
        }
        t.advance();
        n.relation();
        while (!n.atEnd() && !t.is(0, Keyword.DO)) {
            n.step();
        }
        t.advance();
        if (t.is(0, Keyword.ALSO) || t.is(0, Keyword.INSTEAD)) {
            t.advance();
        }
        queries.run(Levels.QUERY);
    }

    private void type() {
        n.object();
        if (!n.optional(Keyword.AS)) {
            n.definitionList();
        } else if (n.optional(Keyword.RANGE)) {
            n.definitionList();
        } else if (t.type(0) == Lexer.OPEN) {
            n.columns();
        }
    }

    private void aggregate() {
        n.object();
        boolean old = t.type(0) == Lexer.OPEN && t.isLabel(1) && t.isOperator(2, '=');
        if (!old) {
            n.arguments();
        }
        n.definitionList();
    }

    private void operator() {
        if (n.optional(Keyword.FAMILY)) {
            n.object();
        } else if (n.optional(Keyword.CLASS)) {
            n.object();
            while (!n.atEnd() && !t.is(0, Keyword.TYPE)) {
                t.advance();
            }
            t.advance();
            n.type();
            while (!n.atEnd() && !t.is(0, Keyword.AS)) {
                if (n.optional(Keyword.FAMILY)) {
                    n.reference();
                } else {
                    t.advance();
                }
            }
            objects.operatorItems();
        } else {
            n.operator(true);
            n.definitionList();
        }
    }

    /** WITH FUNCTION name (types), wherever it stands in the rest. */
    private void withFunctions() {
        while (!n.atEnd()) {
            if (n.optional(Keyword.FUNCTION) && t.isLabel(0)) {
                n.function();
                n.arguments();
            } else {
                t.advance();
            }
        }
    }

    private void untilFunction(Keyword before, Keyword orBefore) {
        while (!n.atEnd() && !t.is(0, before) && !t.is(0, orBefore)) {
            t.advance();
        }
        t.advance();
        n.function();
    }

    private void handlers() {
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case HANDLER, INLINE, VALIDATOR -> {
                    t.advance();
                    n.function();
                }
                case NO -> t.advance(2);
                case OPTIONS -> {
                    t.advance();
                    n.skipParenthesis();
                }
                default -> t.advance();
            }
        }
    }

    private void statistics() {
        n.ifExists();
        if (!t.is(0, Keyword.ON)) {
            n.object();
        }
        n.skipParenthesis();
        t.advance();
        while (!n.atEnd() && !t.is(0, Keyword.FROM)) {
            n.step();
        }
        t.advance();
        queries.run(Levels.FROM_ITEM);
    }
}
