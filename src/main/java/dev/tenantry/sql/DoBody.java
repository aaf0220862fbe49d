package dev.tenantry.sql;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the text of a DO block says of roles and other things that all nodes share, which its node alone would change
 * and no event trigger sees. Finds statements of the block, and EXECUTE of a literal or a {@code format} of one; what
 * is put together otherwise, or done by a routine that is called, it does not see.
 */
final class DoBody {
    /** Words after which PL/pgSQL begins a statement. */
    private static final Set<String> BEFORE_STATEMENTS = Set.of("begin", "then", "else", "loop");

    private DoBody() {}

    /** The first words of such a statement, for example {@code CREATE ROLE}; null when there is none. */
    static @Nullable String sharedDdl(Lexer statement) {
        String body = null;
        for (int k = 1; k < Lexer.LOOK_AHEAD_MAX && statement.type(k) != Lexer.END; k++) {
            boolean language = k > 1 && statement.is(k - 1, Keyword.LANGUAGE);
            if (language && !languageOf(statement, k).equals("plpgsql")) {
                return null;
            }
            if (!language && statement.type(k) == Lexer.STRING && body == null) {
                body = statement.string(k);
            }
        }
        return body == null ? null : inBlock(lexer(body));
    }

    private static String languageOf(Lexer t, int k) {
        return t.type(k) == Lexer.STRING ? t.string(k).toLowerCase(Locale.ROOT) : t.isLabel(k) ? t.name(k) : "";
    }

    private static Lexer lexer(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Lexer t = new Lexer();
        t.reset(bytes, 0, bytes.length, LexicalRules.DEFAULT);
        return t;
    }

    private static @Nullable String inBlock(Lexer t) {
        while (t.nextStatement()) {
            boolean begins = true;
            while (t.type(0) != Lexer.END) {
                String found = begins ? atStart(t) : null;
                if (found != null) {
                    return found;
                }
                begins = t.type(0) == Lexer.IDENT && BEFORE_STATEMENTS.contains(t.name(0));
                t.advance();
            }
        }
        return null;
    }

    private static @Nullable String atStart(Lexer t) {
        if (!t.is(0, Keyword.EXECUTE)) {
            return shared(t);
        }
        boolean format = t.isLabel(1) && t.name(1).equals("format") && t.type(2) == Lexer.OPEN;
        int at = format ? 3 : 1;
        if (t.type(at) != Lexer.STRING) {
            return null;
        }
        Lexer executed = lexer(t.string(at));
        while (executed.nextStatement()) {
            String found = shared(executed);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static @Nullable String shared(Lexer t) {
        return switch (t.keyword(0)) {
            case CREATE, ALTER, DROP ->
                DefinitionKinds.of(t) == StatementKind.GLOBAL_DDL && isUnseen(t.keyword(1)) ? words(t, 2) : null;
            case GRANT, REVOKE -> DefinitionKinds.of(t) == StatementKind.GLOBAL_DDL ? words(t, 1) : null;
            case REASSIGN -> words(t, 2);
            default -> null;
        };
    }

    /** Event triggers see the others, when they are really done. */
    private static boolean isUnseen(Keyword object) {
        return switch (object) {
            case ROLE, USER, GROUP, DATABASE, DEFAULT -> true;
            default -> false;
        };
    }

    private static String words(Lexer t, int count) {
        String first = t.name(0).toUpperCase(Locale.ROOT);
        return count == 1 || !t.isLabel(1) ? first : first + " " + t.name(1).toUpperCase(Locale.ROOT);
    }
}
