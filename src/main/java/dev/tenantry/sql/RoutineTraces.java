package dev.tenantry.sql;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * Whether the body of a routine can leave something in the server process that runs it when the transaction is over:
 * a setting, a temporary table, an advisory lock, a prepared statement. Errs on the safe side: what it does not
 * understand, such as SQL that is put together when it runs, may do anything. Pure; safe from any thread.
 */
public final class RoutineTraces {
    /** Words that begin a statement that changes the session, or SQL that is only known when it runs. */
    private static final Set<String> LEAVING = Set.of(
            "reset",
            "discard",
            "listen",
            "unlisten",
            "prepare",
            "deallocate",
            "execute",
            "load",
            "temp",
            "temporary",
            "hold");

    /** Words after which PL/pgSQL and SQL begin a statement. */
    private static final Set<String> BEFORE_STATEMENTS = Set.of("begin", "atomic", "then", "else", "loop");

    private static final Set<String> HARMLESS_AFTER_SET = Set.of("local", "constraints", "transaction");

    private RoutineTraces() {}

    /**
     * Whether a routine leaves nothing, whoever calls it.
     *
     * @param language as {@code pg_language.lanname} has it
     * @param source as {@code pg_proc.prosrc} has it, or as {@code pg_get_function_sqlbody} prints it
     */
    public static boolean isTraceless(String language, String source) {
        return switch (language.toLowerCase(Locale.ROOT)) {
            case "sql", "plpgsql" -> isTraceless(source.getBytes(StandardCharsets.UTF_8));
            default -> false;
        };
    }

    /** Whether a call of a function, one of the system's or of an extension, may leave something. */
    public static boolean mayLeave(String function) {
        return (KnownNames.get().flags(function) & (KnownNames.TRACE | KnownNames.SEED | KnownNames.SETTING)) != 0;
    }

    private static boolean isTraceless(byte[] source) {
        Lexer t = new Lexer();
        t.reset(source, 0, source.length, LexicalRules.DEFAULT);
        while (t.nextStatement()) {
            boolean inStatement = false;
            while (t.type(0) != Lexer.END) {
                boolean isWord = t.type(0) == Lexer.IDENT || t.type(0) == Lexer.QUOTED;
                if (t.type(0) == Lexer.JUNK || isWord && mayLeave(t, inStatement)) {
                    return false;
                }
                inStatement = isWord && !BEFORE_STATEMENTS.contains(t.name(0));
                t.advance();
            }
        }
        return true;
    }

    /** @param inStatement whether the word before belongs to the same statement */
    private static boolean mayLeave(Lexer t, boolean inStatement) {
        String word = t.name(0);
        if (t.type(0) == Lexer.IDENT && word.equals("set")) {
            return !inStatement && !HARMLESS_AFTER_SET.contains(t.isLabel(1) ? t.name(1) : "");
        }
        if (t.type(0) == Lexer.IDENT && LEAVING.contains(word) || word.startsWith("pg_temp")) {
            return true;
        }
        if (t.is(0, Keyword.UPDATE) && updatesSettings(t)) {
            return true;
        }
        int flags = t.type(1) == Lexer.OPEN ? t.flags(0) : 0;
        return (flags & (KnownNames.TRACE | KnownNames.SEED)) != 0
                || (flags & KnownNames.SETTING) != 0 && !isLocal(t, 1);
    }

    /** UPDATE of the view pg_settings is SET. */
    private static boolean updatesSettings(Lexer t) {
        int at = t.is(1, Keyword.ONLY) ? 2 : 1;
        at += t.type(at + 1) == Lexer.DOT ? 2 : 0;
        return t.isLabel(at) && t.name(at).equals("pg_settings");
    }

    /** Whether the last argument of a call is the word {@code true}; only then it ends with the transaction. */
    static boolean isLocal(Lexer t, int open) {
        int depth = 0;
        for (int k = open; k < Lexer.LOOK_AHEAD_MAX && t.type(k) != Lexer.END; k++) {
            depth += t.type(k) == Lexer.OPEN ? 1 : t.type(k) == Lexer.CLOSE ? -1 : 0;
            if (depth == 0) {
                return t.is(k - 1, Keyword.TRUE) && t.type(k - 2) == Lexer.COMMA;
            }
        }
        return false;
    }
}
