package dev.tenantry.sql;

import dev.tenantry.sql.Findings.Literal;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The names in an expression: columns, functions, types, collations, operators, and literals that are names. */
final class Expressions {
    /** Functions that tell of an object by its oid, which means something on its own node only. */
    private static final Set<String> DESCRIBING = Set.of(
            "col_description",
            "format_type",
            "obj_description",
            "pg_describe_object",
            "pg_get_constraintdef",
            "pg_get_function_arguments",
            "pg_get_function_identity_arguments",
            "pg_get_function_result",
            "pg_get_function_sqlbody",
            "pg_get_functiondef",
            "pg_get_indexdef",
            "pg_get_partition_constraintdef",
            "pg_get_partkeydef",
            "pg_get_ruledef",
            "pg_get_statisticsobjdef",
            "pg_get_triggerdef",
            "pg_get_viewdef",
            "pg_identify_object");

    private static final int PARTS_MAX = 8;

    private final Lexer t;
    private final Findings f;
    private final Levels levels;

    Expressions(Lexer lexer, Findings findings, Levels stack) {
        t = lexer;
        f = findings;
        levels = stack;
    }

    /** How many parts the name has that begins at the current token; a final star counts as one. */
    int chain() {
        int parts = 1;
        while (parts < PARTS_MAX && t.type(2 * parts - 1) == Lexer.DOT) {
            if (!t.isLabel(2 * parts) && !t.isOperator(2 * parts, '*')) {
                break;
            }
            parts++;
        }
        return parts;
    }

    /** One token or one name of an expression; never a parenthesis, except one that a call opens. */
    void token() {
        switch (t.type(0)) {
            case Lexer.IDENT, Lexer.QUOTED -> name();
            case Lexer.STRING -> string();
            case Lexer.CAST -> {
                t.advance();
                type();
            }
            case Lexer.DOT -> t.advance(t.isLabel(1) ? 2 : 1);
            case Lexer.NUMBER -> {
                f.values().number();
                t.advance();
            }
            case Lexer.PARAM -> {
                f.values().parameter();
                t.advance();
            }
            default -> t.advance();
        }
    }

    private void name() {
        byte next = t.type(1);
        if (next != Lexer.DOT && next != Lexer.OPEN && next != Lexer.STRING && t.keyword(0) != Keyword.COLLATE) {
            f.word(t.flags(0));
            if (t.type(0) == Lexer.QUOTED || (t.flags(0) & KnownNames.KEYWORD) == 0) {
                f.values().column(0);
            }
            t.advance();
            return;
        }
        switch (t.keyword(0)) {
            case COLLATE -> collation();
            case OPERATOR -> operator();
            default -> {
                if (t.type(0) == Lexer.IDENT && (t.flags(0) & KnownNames.RESERVED) != 0) {
                    t.advance();
                } else if (next == Lexer.OPEN) {
                    simpleCall();
                } else if (next == Lexer.STRING) {
                    typedLiteral(1);
                } else {
                    dotted();
                }
            }
        }
    }

    private void dotted() {
        int parts = chain();
        byte next = t.type(2 * parts - 1);
        if (next == Lexer.OPEN && !t.isOperator(2 * parts - 2, '*')) {
            call(parts);
        } else if (next == Lexer.STRING) {
            typedLiteral(parts);
        } else {
            f.column(parts);
            t.advance(2 * parts - 1);
        }
    }

    private void simpleCall() {
        Keyword keyword = t.keyword(0);
        switch (keyword) {
            case OVER,
                    FILTER,
                    SETS,
                    ROLLUP,
                    CUBE,
                    MATERIALIZED,
                    SET,
                    VALUES,
                    KEY,
                    INCLUDE,
                    PARTITION,
                    RANGE,
                    OPTIONS,
                    PASSING,
                    BY,
                    COLUMNS,
                    ALWAYS,
                    ATOMIC,
                    INSERT,
                    ACTION,
                    GROUPS,
                    ROWS,
                    FIRST,
                    LAST,
                    TYPE -> t.advance();
            default -> {
                if ((t.flags(0) & KnownNames.COLUMN_NAME) != 0 || isOperatorWord(keyword)) {
                    t.advance();
                } else {
                    call(1);
                }
            }
        }
    }

    private static boolean isOperatorWord(Keyword keyword) {
        return switch (keyword) {
            case LIKE,
                    ILIKE,
                    SIMILAR,
                    IS,
                    ISNULL,
                    NOTNULL,
                    OVERLAPS,
                    JOIN,
                    INNER,
                    OUTER,
                    FULL,
                    CROSS,
                    NATURAL,
                    COLLATE,
                    TABLESAMPLE,
                    CONCURRENTLY,
                    VERBOSE,
                    FREEZE,
                    AUTHORIZATION,
                    BINARY,
                    ESCAPE -> true;
            default -> false;
        };
    }

    /** A function's name and its opening parenthesis; the arguments are read on the level this opens. */
    void call(int parts) {
        boolean column = parts == 1 && (t.flags(0) & KnownNames.COLUMN_NAME) != 0;
        int nameAt = 2 * (parts - 1);
        if (!column) {
            f.function(parts);
            if ((t.flags(nameAt) & KnownNames.FUNCTION) != 0
                    && (parts == 1 || t.name(nameAt - 2).equals("pg_catalog"))) {
                catalogCall(t.name(nameAt), nameAt + 2);
            }
        }
        t.advance(nameAt + 2);
        levels.push(Levels.EXPRESSION);
    }

    private void catalogCall(String function, int argument) {
        if (DESCRIBING.contains(function)) {
            f.describedObject();
        }
        if (t.type(argument) != Lexer.STRING) {
            return;
        }
        switch (function) {
            case "nextval",
                    "currval",
                    "setval",
                    "to_regclass",
                    "pg_get_serial_sequence",
                    "pg_relation_size",
                    "pg_total_relation_size",
                    "pg_table_size",
                    "pg_indexes_size",
                    "pg_sequence_last_value",
                    "pg_get_viewdef",
                    "pg_partition_ancestors",
                    "pg_partition_root",
                    "pg_partition_tree",
                    "pg_relation_filenode",
                    "pg_relation_filepath",
                    "row_security_active" -> f.nameLiteral(argument, Literal.RELATION);
            case "has_table_privilege", "has_any_column_privilege", "has_sequence_privilege" ->
                f.nameLiteral(privilegeObject(argument), Literal.RELATION);
            case "has_function_privilege" -> f.nameLiteral(privilegeObject(argument), Literal.ROUTINE);
            case "has_type_privilege" -> f.nameLiteral(privilegeObject(argument), Literal.TYPE);
            case "has_schema_privilege" -> f.nameLiteral(privilegeObject(argument), Literal.SCHEMA);
            case "to_regproc", "to_regprocedure" -> f.nameLiteral(argument, Literal.ROUTINE);
            case "to_regtype" -> f.nameLiteral(argument, Literal.TYPE);
            case "to_regnamespace" -> f.nameLiteral(argument, Literal.SCHEMA);
            case "set_config" -> setConfig(argument);
            default -> {}
        }
    }

    /** The object is the argument before the privilege, behind the role if there are three. */
    private int privilegeObject(int argument) {
        boolean afterRole = t.type(argument + 1) == Lexer.COMMA
                && t.type(argument + 2) == Lexer.STRING
                && t.type(argument + 3) == Lexer.COMMA;
        return afterRole ? argument + 2 : argument;
    }

    /** A call whose last argument is the word {@code true} sets nothing beyond the transaction. */
    private void setConfig(int argument) {
        f.settings().named(t.string(argument).toLowerCase(Locale.ROOT), RoutineTraces.isLocal(t, argument - 1));
    }

    /** A type's name at the current token, with SETOF and %TYPE; modifiers are left to the caller. */
    void type() {
        if (t.is(0, Keyword.SETOF)) {
            t.advance();
        }
        if (!t.isLabel(0)) {
            return;
        }
        int parts = chain();
        int after = 2 * parts - 1;
        if (parts > 1 && t.isOperator(after, '%') && t.is(after + 1, Keyword.TYPE)) {
            f.relation(parts - 1);
            t.advance(after + 2);
        } else {
            f.type(parts);
            t.advance(after);
        }
    }

    private void typedLiteral(int parts) {
        int literal = 2 * parts - 1;
        boolean plain = t.type(0) == Lexer.QUOTED || (t.flags(0) & KnownNames.KEYWORD) == 0;
        if (parts > 1 || plain) {
            Literal object = regType(0);
            f.type(parts);
            if (object != null) {
                f.nameLiteral(literal, object);
            }
        }
        t.advance(literal);
    }

    private void string() {
        f.values().literal();
        if (t.type(1) == Lexer.CAST) {
            Literal object = regType(2);
            if (object != null) {
                f.nameLiteral(0, object);
            }
        } else if (t.is(1, Keyword.AS)) {
            Literal object = regType(2);
            if (object != null) {
                f.nameLiteral(0, object);
            }
        }
        t.advance();
    }

    /** What a string of the type named at the k-th token names, if it is one of the reg... types. */
    private @Nullable Literal regType(int k) {
        boolean qualified =
                t.type(k + 1) == Lexer.DOT && t.isLabel(k) && t.name(k).equals("pg_catalog");
        int at = qualified ? k + 2 : k;
        if ((t.flags(at) & KnownNames.TYPE) == 0) {
            return null;
        }
        return switch (t.name(at)) {
            case "regclass" -> Literal.RELATION;
            case "regproc", "regprocedure" -> Literal.ROUTINE;
            case "regtype" -> Literal.TYPE;
            case "regnamespace" -> Literal.SCHEMA;
            default -> null;
        };
    }

    private void collation() {
        t.advance();
        if (t.isLabel(0)) {
            int parts = chain();
            if (parts > 1) {
                f.type(parts);
            }
            t.advance(2 * parts - 1);
        }
    }

    /** {@code OPERATOR(schema.+)}. */
    private void operator() {
        t.advance(2);
        int at = 0;
        while (t.isLabel(at) && t.type(at + 1) == Lexer.DOT && at < Lexer.LOOK_AHEAD_MAX - 4) {
            at += 2;
        }
        if (at > 0) {
            f.schema(t.name(at - 2));
        }
        while (t.type(0) != Lexer.CLOSE && t.type(0) != Lexer.END) {
            t.advance();
        }
        t.advance();
    }
}
