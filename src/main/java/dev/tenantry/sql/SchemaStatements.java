package dev.tenantry.sql;

import dev.tenantry.sql.StatementAction.AlterSchemaOwner;
import dev.tenantry.sql.StatementAction.CreateSchema;
import dev.tenantry.sql.StatementAction.DropSchema;
import dev.tenantry.sql.StatementAction.OnSchemas;
import dev.tenantry.sql.StatementAction.RenameSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** CREATE, DROP and ALTER SCHEMA, and GRANT, REVOKE, COMMENT and SECURITY LABEL on schemas. */
final class SchemaStatements {

    private final Lexer t;

    SchemaStatements(Lexer lexer) {
        t = lexer;
    }

    /** After CREATE SCHEMA; stops before the schema elements, or at the statement's end. */
    StatementAction create() {
        boolean ifNotExists = t.is(0, Keyword.IF) && t.is(1, Keyword.NOT) && t.is(2, Keyword.EXISTS);
        if (ifNotExists) {
            t.advance(3);
        }
        Optional<String> name = Optional.empty();
        int headerEnd = t.start(0);
        if (t.isName(0)) {
            name = Optional.of(t.name(0));
            headerEnd = t.end(0);
            t.advance();
        }
        Optional<String> authorization = Optional.empty();
        if (t.is(0, Keyword.AUTHORIZATION)) {
            t.advance();
            if (!isRole(0)) {
                return ControlStatements.NONE;
            }
            authorization = Optional.of(t.raw(0));
            if (name.isEmpty()) {
                name = Optional.of(isSpecialRole(t.keyword(0)) ? CreateSchema.NAME_OF_ROLE : t.name(0));
            }
            headerEnd = t.end(0);
            t.advance();
        }
        if (name.isEmpty()) {
            return ControlStatements.NONE;
        }
        boolean understood = switch (t.keyword(0)) {
            case CREATE, GRANT -> !ifNotExists;
            default -> t.type(0) == Lexer.END;
        };
        return understood
                ? new CreateSchema(name.get(), ifNotExists, authorization, headerEnd)
                : ControlStatements.NONE;
    }

    /** After DROP SCHEMA. */
    StatementAction drop() {
        boolean ifExists = t.is(0, Keyword.IF) && t.is(1, Keyword.EXISTS);
        if (ifExists) {
            t.advance(2);
        }
        List<String> names = names();
        boolean cascade = t.is(0, Keyword.CASCADE);
        if (cascade || t.is(0, Keyword.RESTRICT)) {
            t.advance();
        }
        return names.isEmpty() || !atEnd() ? ControlStatements.NONE : new DropSchema(names, ifExists, cascade);
    }

    /** After ALTER SCHEMA. */
    StatementAction alter() {
        if (!t.isName(0)) {
            return ControlStatements.NONE;
        }
        String name = t.name(0);
        t.advance();
        if (t.is(0, Keyword.RENAME) && t.is(1, Keyword.TO) && t.isName(2) && t.type(3) == Lexer.END) {
            String newName = t.name(2);
            t.advance(3);
            return new RenameSchema(name, newName);
        }
        boolean owner = t.is(0, Keyword.OWNER) && t.is(1, Keyword.TO) && isRole(2) && t.type(3) == Lexer.END;
        return owner ? new AlterSchemaOwner(name) : ControlStatements.NONE;
    }

    /** After COMMENT ON SCHEMA or SECURITY LABEL ... ON SCHEMA. */
    StatementAction describe() {
        if (!t.isName(0) || !t.is(1, Keyword.IS) || t.type(3) != Lexer.END) {
            return ControlStatements.NONE;
        }
        boolean text = t.type(2) == Lexer.STRING || t.is(2, Keyword.NULL);
        return text ? new OnSchemas(List.of(t.name(0)), t.start(0), t.end(0)) : ControlStatements.NONE;
    }

    /** After GRANT or REVOKE ... ON SCHEMA: the names, then TO or FROM roles. */
    StatementAction privileges() {
        int namesStart = t.start(0);
        List<String> names = names();
        int namesEnd = t.lastEnd();
        boolean roles = t.is(0, Keyword.TO) || t.is(0, Keyword.FROM);
        if (names.isEmpty() || !roles) {
            return ControlStatements.NONE;
        }
        do {
            t.advance();
            if (t.is(0, Keyword.GROUP)) {
                t.advance();
            }
            if (!isRole(0)) {
                return ControlStatements.NONE;
            }
            t.advance();
        } while (t.type(0) == Lexer.COMMA);
        if (t.is(0, Keyword.WITH) && t.is(1, Keyword.GRANT) && t.is(2, Keyword.OPTION)) {
            t.advance(3);
        }
        if (t.is(0, Keyword.GRANTED) && t.is(1, Keyword.BY) && isRole(2)) {
            t.advance(3);
        }
        if (t.is(0, Keyword.CASCADE) || t.is(0, Keyword.RESTRICT)) {
            t.advance();
        }
        return atEnd() ? new OnSchemas(names, namesStart, namesEnd) : ControlStatements.NONE;
    }

    /** Names separated by commas; empty when one is missing. */
    private List<String> names() {
        List<String> names = new ArrayList<>();
        while (t.isName(0)) {
            names.add(t.name(0));
            t.advance();
            if (t.type(0) != Lexer.COMMA) {
                return List.copyOf(names);
            }
            t.advance();
        }
        return List.of();
    }

    private boolean isRole(int k) {
        return t.isName(k)
                || isSpecialRole(t.keyword(k))
                || (t.type(k) == Lexer.IDENT && (t.flags(k) & KnownNames.TYPE_OR_FUNCTION) != 0);
    }

    private static boolean isSpecialRole(Keyword keyword) {
        return keyword == Keyword.CURRENT_USER || keyword == Keyword.CURRENT_ROLE || keyword == Keyword.SESSION_USER;
    }

    private boolean atEnd() {
        return t.type(0) == Lexer.END;
    }
}
