package dev.tenantry.sql;

/** The kinds of statements that define, change, drop or describe objects, by their first words. */
final class DefinitionKinds {

    private static final int WORDS_MAX = Lexer.LOOK_AHEAD_MAX - 2;

    private DefinitionKinds() {}

    static StatementKind of(Lexer t) {
        return switch (t.keyword(0)) {
            case CREATE, ALTER, DROP -> ofObject(t);
            case COMMENT -> ofDescribed(t.keyword(2));
            case SECURITY -> ofLabel(t);
            case GRANT, REVOKE -> ofPrivileges(t);
            case REASSIGN -> StatementKind.GLOBAL_DDL;
            default -> StatementKind.DDL;
        };
    }

    private static StatementKind ofObject(Lexer t) {
        boolean create = t.is(0, Keyword.CREATE);
        boolean drop = t.is(0, Keyword.DROP);
        return switch (t.keyword(1)) {
            case SCHEMA ->
                create ? StatementKind.CREATE_SCHEMA : drop ? StatementKind.DROP_SCHEMA : StatementKind.ALTER_SCHEMA;
            case ROLE, GROUP, EXTENSION -> StatementKind.GLOBAL_DDL;
            case USER -> t.is(2, Keyword.MAPPING) ? StatementKind.DDL : StatementKind.GLOBAL_DDL;
            case OWNED -> drop ? StatementKind.GLOBAL_DDL : StatementKind.DDL;
            case DATABASE -> isDatabaseSetting(t, create || drop) ? StatementKind.GLOBAL_DDL : StatementKind.SERVER;
            case TABLESPACE, SYSTEM -> StatementKind.SERVER;
            case DEFAULT -> isGlobalDefault(t) ? StatementKind.GLOBAL_DDL : StatementKind.DDL;
            default -> create && isLanguageExtension(t) ? StatementKind.GLOBAL_DDL : StatementKind.DDL;
        };
    }

    /** CREATE LANGUAGE without a handler is another spelling of CREATE EXTENSION. */
    private static boolean isLanguageExtension(Lexer t) {
        int k = t.is(1, Keyword.OR) && t.is(2, Keyword.REPLACE) ? 3 : 1;
        while (t.is(k, Keyword.TRUSTED) || t.is(k, Keyword.PROCEDURAL)) {
            k++;
        }
        return t.is(k, Keyword.LANGUAGE) && t.isLabel(k + 1) && t.type(k + 2) == Lexer.END;
    }

    /** ALTER DATABASE name SET or RESET a setting. */
    private static boolean isDatabaseSetting(Lexer t, boolean other) {
        boolean set = t.is(3, Keyword.SET) && !t.is(4, Keyword.TABLESPACE);
        return !other && (set || t.is(3, Keyword.RESET));
    }

    /** ALTER DEFAULT PRIVILEGES without IN SCHEMA. */
    private static boolean isGlobalDefault(Lexer t) {
        if (!t.is(0, Keyword.ALTER) || !t.is(2, Keyword.PRIVILEGES)) {
            return false;
        }
        for (int k = 3; k < WORDS_MAX && t.type(k) != Lexer.END; k++) {
            switch (t.keyword(k)) {
                case GRANT, REVOKE -> {
                    return true;
                }
                case SCHEMA -> {
                    return !t.is(k - 1, Keyword.IN);
                }
                default -> {}
            }
        }
        return true;
    }

    private static StatementKind ofDescribed(Keyword object) {
        return switch (object) {
            case SCHEMA -> StatementKind.ON_SCHEMA;
            case ROLE, EXTENSION -> StatementKind.GLOBAL_DDL;
            case DATABASE, TABLESPACE -> StatementKind.SERVER;
            default -> StatementKind.DDL;
        };
    }

    private static StatementKind ofLabel(Lexer t) {
        int k = 2;
        while (!t.is(k, Keyword.ON) && t.type(k) != Lexer.END && k < WORDS_MAX) {
            k++;
        }
        return ofDescribed(t.keyword(k + 1));
    }

    /** Privileges ON something; without ON it is the membership in roles. */
    private static StatementKind ofPrivileges(Lexer t) {
        int depth = 0;
        for (int k = 1; k < WORDS_MAX && t.type(k) != Lexer.END; k++) {
            depth += t.type(k) == Lexer.OPEN ? 1 : t.type(k) == Lexer.CLOSE ? -1 : 0;
            if (depth == 0 && t.is(k, Keyword.ON)) {
                return switch (t.keyword(k + 1)) {
                    case SCHEMA -> StatementKind.ON_SCHEMA;
                    case DATABASE, PARAMETER -> StatementKind.GLOBAL_DDL;
                    case TABLESPACE -> StatementKind.SERVER;
                    default -> StatementKind.DDL;
                };
            }
            if (depth == 0 && (t.is(k, Keyword.TO) || t.is(k, Keyword.FROM))) {
                return StatementKind.GLOBAL_DDL;
            }
        }
        return StatementKind.DDL;
    }
}
