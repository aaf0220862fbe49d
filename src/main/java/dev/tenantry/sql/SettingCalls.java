package dev.tenantry.sql;

import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads statements that do nothing but call {@code set_config}: SELECT with such calls and nothing else, but for
 * questions what is set, by itself or in PREPARE. When one of them has worked, it is certain what is set. Anywhere else
 * a call may not be run at all (CASE, WHERE, EXPLAIN, a view), or be run with a value that can't be read. Not
 * thread-safe.
 */
final class SettingCalls {

    private static final Set<String> LOOKS = Set.of("current_setting", "current_schema", "current_schemas");

    private final Lexer t = new Lexer();

    /** The calls in their order; none when there is anything else in the statement. */
    List<SetConfigCall> read(byte[] text, int offset, int length, LexicalRules rules) {
        t.reset(text, offset, length, rules);
        if (!t.nextStatement()) {
            return List.of();
        }
        if (t.is(0, Keyword.EXPLAIN) && t.type(1) == Lexer.OPEN && t.name(2).equals("tenantry")) {
            t.advance(4); // what is looked at as if it ran
        }
        if (t.is(0, Keyword.PREPARE) && !prepare() || !t.is(0, Keyword.SELECT)) {
            return List.of();
        }
        List<SetConfigCall> calls = new ArrayList<>();
        do {
            t.advance();
            boolean looks = look();
            SetConfigCall call = looks ? null : call();
            if (looks ? !pass(Lexer.CLOSE) : call == null) {
                return List.of();
            }
            if (call != null) {
                calls.add(call);
            }
            alias();
        } while (t.type(0) == Lexer.COMMA);
        return t.type(0) == Lexer.END ? List.copyOf(calls) : List.of();
    }

    /** Goes behind AS; a parameter of another type than text may have another text than was given for it. */
    private boolean prepare() {
        t.advance();
        if (!t.isName(0)) {
            return false;
        }
        t.advance();
        if (t.type(0) == Lexer.OPEN) {
            do {
                t.advance();
                if (!t.isLabel(0) || !t.name(0).equals("text")) {
                    return false;
                }
                t.advance();
            } while (t.type(0) == Lexer.COMMA);
            if (!pass(Lexer.CLOSE)) {
                return false;
            }
        }
        boolean as = t.is(0, Keyword.AS);
        t.advance();
        return as;
    }

    /** Goes to the end of a call that only tells something, so that it stops no other from being run. */
    private boolean look() {
        if (!t.isName(0) || !LOOKS.contains(t.name(0)) || t.type(1) != Lexer.OPEN) {
            return false;
        }
        t.advance(2);
        while (t.type(0) != Lexer.CLOSE && t.type(0) != Lexer.OPEN && t.type(0) != Lexer.END) {
            t.advance();
        }
        return true;
    }

    private @Nullable SetConfigCall call() {
        if (t.isName(0) && t.name(0).equals("pg_catalog") && t.type(1) == Lexer.DOT) {
            t.advance(2);
        }
        if (!t.isName(0) || !t.name(0).equals("set_config") || t.type(1) != Lexer.OPEN || t.type(2) != Lexer.STRING) {
            return null;
        }
        String name = t.string(2).toLowerCase(Locale.ROOT);
        t.advance(3);
        Argument value = pass(Lexer.COMMA) ? value() : null;
        if (value == null || !pass(Lexer.COMMA)) {
            return null;
        }
        Optional<Boolean> local = local();
        t.advance();
        return local.isEmpty() || !pass(Lexer.CLOSE) ? null : new SetConfigCall(name, value, local.get());
    }

    private @Nullable Argument value() {
        boolean cast = t.is(0, Keyword.CAST) && t.type(1) == Lexer.OPEN;
        if (cast) {
            t.advance(2);
        }
        Argument value = switch (t.type(0)) {
            case Lexer.STRING -> new Argument.Literal(t.string(0));
            case Lexer.PARAM -> new Argument.Parameter(t.integer(0));
            default -> t.is(0, Keyword.NULL) ? new Argument.Null() : null;
        };
        t.advance();
        boolean typed = t.type(0) == Lexer.CAST;
        if (cast || typed) {
            boolean understood = (cast ? t.is(0, Keyword.AS) : typed) && isText(1);
            t.advance(2);
            return understood && (!cast || pass(Lexer.CLOSE)) ? value : null;
        }
        return value;
    }

    /** Whether the token is a type whose values are their text. */
    private boolean isText(int k) {
        return t.isLabel(k) && (t.name(k).equals("text") || t.name(k).equals("varchar"));
    }

    private Optional<Boolean> local() {
        return switch (t.keyword(0)) {
            case TRUE -> Optional.of(true);
            case FALSE -> Optional.of(false);
            default -> t.type(0) == Lexer.STRING ? bool(t.string(0)) : Optional.empty();
        };
    }

    private static Optional<Boolean> bool(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "t", "tr", "tru", "true", "y", "ye", "yes", "on", "1" -> Optional.of(true);
            case "f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    private void alias() {
        if (t.is(0, Keyword.AS) && t.isLabel(1)) {
            t.advance(2);
        } else if (t.isName(0)) {
            t.advance();
        }
    }

    private boolean pass(byte type) {
        boolean is = t.type(0) == type;
        if (is) {
            t.advance();
        }
        return is;
    }
}
