package dev.tenantry.sql;

/** DROP, ALTER, COMMENT, SECURITY LABEL, GRANT and REVOKE: statements about objects that are there. */
final class ObjectReader {

    private final NameReader n;
    private final TableReader tables;
    private final Lexer t;
    private final Findings f;

    ObjectReader(NameReader names, TableReader tableReader) {
        n = names;
        tables = tableReader;
        t = names.t;
        f = names.f;
    }

    void drop() {
        t.advance();
        named();
        n.restOfStatement();
    }

    /** COMMENT ON and SECURITY LABEL ... ON. */
    void describe() {
        while (!t.is(0, Keyword.ON) && !n.atEnd()) {
            t.advance();
        }
        t.advance();
        named();
    }

    /** The object's kind, then one or several names; false when objects of this kind are in no schema. */
    private boolean named() {
        Keyword kind = t.keyword(0);
        t.advance();
        switch (kind) {
            case TABLE, VIEW, SEQUENCE, INDEX -> relations();
            case MATERIALIZED -> {
                t.advance();
                relations();
            }
            case FOREIGN -> {
                boolean table = n.optional(Keyword.TABLE);
                if (!table) {
                    return false;
                }
                relations();
            }
            case COLUMN -> tables.column();
            case TYPE, DOMAIN -> types();
            case FUNCTION, PROCEDURE, ROUTINE, AGGREGATE -> {
                n.ifExists();
                n.routines();
            }
            case OPERATOR -> operators();
            case COLLATION, CONVERSION, STATISTICS -> {
                n.ifExists();
                n.objects();
            }
            case TEXT -> {
                t.advance(2);
                n.ifExists();
                n.objects();
            }
            case TRIGGER, RULE, POLICY, CONSTRAINT -> onRelation();
            case CAST -> {
                n.ifExists();
                castTypes();
            }
            case TRANSFORM -> {
                n.ifExists();
                t.advance();
                n.type();
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void relations() {
        n.optional(Keyword.CONCURRENTLY);
        n.ifExists();
        if (!t.is(0, Keyword.ALL)) {
            n.relations();
        }
    }

    private void types() {
        n.ifExists();
        n.type();
        while (t.type(0) == Lexer.COMMA) {
            t.advance();
            n.type();
        }
    }

    private void operators() {
        if (n.optional(Keyword.CLASS) || n.optional(Keyword.FAMILY)) {
            n.ifExists();
            n.object();
            n.optional(Keyword.USING);
            t.advance();
            return;
        }
        n.ifExists();
        n.operator(true);
        n.typeParenthesis();
        while (t.type(0) == Lexer.COMMA) {
            t.advance();
            n.operator(true);
            n.typeParenthesis();
        }
    }

    /** A trigger, rule, policy or constraint and the relation (or domain) it belongs to. */
    private void onRelation() {
        n.ifExists();
        t.advance();
        if (n.optional(Keyword.ON)) {
            if (t.is(0, Keyword.DOMAIN) && t.isLabel(1) && !t.is(1, Keyword.IS)) {
                t.advance();
                n.type();
            } else {
                n.relation();
            }
        }
    }

    /** {@code (type AS type)}. */
    void castTypes() {
        if (t.type(0) != Lexer.OPEN) {
            return;
        }
        t.advance();
        n.type();
        while (t.type(0) != Lexer.CLOSE && !n.atEnd()) {
            if (n.optional(Keyword.AS)) {
                n.type();
            } else {
                n.step();
            }
        }
        t.advance();
    }

    // --- ALTER ------------------------------------------------------------------------------------------------------

    void alter() {
        t.advance();
        Keyword kind = t.keyword(0);
        Keyword second = t.keyword(1);
        if (kind == Keyword.DEFAULT) {
            defaultPrivileges();
            return;
        }
        if (kind == Keyword.PUBLICATION) {
            t.advance(2);
            Keyword verb = t.keyword(0);
            t.advance();
            if (verb == Keyword.ADD || verb == Keyword.SET || verb == Keyword.DROP) {
                publicationObjects();
            }
            return;
        }
        if (!named()) {
            return;
        }
        switch (kind) {
            case TABLE, VIEW, SEQUENCE, INDEX, MATERIALIZED, FOREIGN -> tables.alterations();
            case OPERATOR -> {
                if (second == Keyword.FAMILY) {
                    operatorItems();
                }
                actions();
            }
            case TEXT -> textSearchActions();
            default -> actions();
        }
    }

    private void actions() {
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case SET -> {
                    t.advance();
                    if (t.is(0, Keyword.SCHEMA)) {
                        newSchema();
                    } else if (t.type(0) == Lexer.OPEN) {
                        n.definitionList();
                    }
                }
                case ADD, ALTER -> {
                    t.advance();
                    if (n.optional(Keyword.ATTRIBUTE)) {
                        t.advance();
                        if (!t.is(0, Keyword.SET) && !t.is(0, Keyword.TYPE)) {
                            n.type();
                        }
                    } else if (tables.constraintStarts()) {
                        tables.qualifiers();
                    }
                }
                case TYPE -> {
                    t.advance();
                    n.type();
                }
                case SUPPORT -> {
                    t.advance();
                    n.reference();
                }
                case RENAME, OWNER, DROP -> t.advance(3);
                default -> n.step();
            }
        }
    }

    private void newSchema() {
        if (t.isName(1)) {
            f.schema(t.name(1));
        }
        t.advance(2);
    }

    private void textSearchActions() {
        while (!n.atEnd()) {
            if (t.is(0, Keyword.WITH) || t.is(0, Keyword.REPLACE)) {
                do {
                    t.advance();
                    n.reference();
                } while (t.type(0) == Lexer.COMMA);
            } else if (t.is(0, Keyword.SET) && t.is(1, Keyword.SCHEMA)) {
                t.advance();
                newSchema();
            } else if (t.type(0) == Lexer.OPEN) {
                n.definitionList();
            } else {
                t.advance();
            }
        }
    }

    /** The members of an operator class or family. */
    void operatorItems() {
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case OPERATOR -> {
                    t.advance(2);
                    n.operator(false);
                    n.typeParenthesis();
                    if (t.is(0, Keyword.FOR) && t.is(1, Keyword.ORDER)) {
                        t.advance(3);
                        n.reference();
                    }
                }
                case FUNCTION -> {
                    t.advance(2);
                    n.typeParenthesis();
                    n.function();
                    n.arguments();
                }
                case STORAGE -> {
                    t.advance();
                    n.type();
                }
                case SET -> {
                    return;
                }
                default -> {
                    if (t.type(0) == Lexer.OPEN) {
                        n.typeParenthesis();
                    } else {
                        t.advance();
                    }
                }
            }
        }
    }

    /** {@code TABLE a, b (x) WHERE (y), TABLES IN SCHEMA s, t}. */
    void publicationObjects() {
        boolean schemas = false;
        while (!n.atEnd()) {
            if (n.optional(Keyword.TABLE)) {
                schemas = false;
            } else if (t.is(0, Keyword.TABLES) && t.is(1, Keyword.IN)) {
                t.advance(3);
                schemas = true;
            } else if (t.is(0, Keyword.ALL) || !t.isLabel(0)) {
                return;
            }
            if (schemas) {
                if (t.isName(0)) {
                    f.schema(t.name(0));
                }
                t.advance();
            } else {
                n.relation();
                n.skipParenthesis();
                if (n.optional(Keyword.WHERE)) {
                    n.expressionParenthesis();
                }
            }
            if (t.type(0) != Lexer.COMMA) {
                return;
            }
            t.advance();
        }
    }

    private void defaultPrivileges() {
        while (!n.atEnd()) {
            switch (t.keyword(0)) {
                case SCHEMA -> {
                    t.advance();
                    schemaNames();
                }
                case GRANT, REVOKE -> {
                    return;
                }
                default -> t.advance();
            }
        }
    }

    // --- GRANT and REVOKE -------------------------------------------------------------------------------------------

    void privileges() {
        int depth = 0;
        while (!n.atEnd() && !(depth == 0 && t.is(0, Keyword.ON))) {
            depth += t.type(0) == Lexer.OPEN ? 1 : t.type(0) == Lexer.CLOSE ? -1 : 0;
            t.advance();
        }
        t.advance();
        boolean kindIsName = t.is(1, Keyword.TO) || t.is(1, Keyword.FROM) || !t.isLabel(1);
        if (kindIsName) {
            n.relations();
            return;
        }
        switch (t.keyword(0)) {
            case FUNCTION, PROCEDURE, ROUTINE -> {
                t.advance();
                n.routines();
            }
            case TYPE, DOMAIN -> {
                t.advance();
                types();
            }
            case ALL -> {
                t.advance(2);
                if (n.optional(Keyword.IN)) {
                    t.advance();
                    schemaNames();
                }
            }
            case TABLE, SEQUENCE -> {
                t.advance();
                n.relations();
            }
            case FOREIGN, LANGUAGE, LARGE -> {}
            default -> n.relations();
        }
        while (!n.atEnd() && !t.is(0, Keyword.CREATE) && !t.is(0, Keyword.GRANT)) {
            t.advance();
            if (t.is(0, Keyword.GRANT) && t.is(1, Keyword.OPTION)) {
                t.advance();
            }
        }
    }

    private void schemaNames() {
        while (t.isName(0)) {
            f.schema(t.name(0));
            t.advance();
            if (t.type(0) != Lexer.COMMA) {
                return;
            }
            t.advance();
        }
    }
}
