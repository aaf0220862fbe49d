package dev.tenantry.sql;

import dev.tenantry.sql.StatementAction.ResetAll;
import dev.tenantry.sql.StatementAction.ResetVariable;
import dev.tenantry.sql.StatementAction.SessionCharacteristics;
import dev.tenantry.sql.StatementAction.SetVariable;
import dev.tenantry.sql.StatementAction.SettingValue;
import dev.tenantry.sql.StatementAction.ShowActivity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** SET and RESET: what they do to the session's settings, when the statement is understood to its last token. */
final class SettingStatements {

    /** Settings whose value is a list; others take one value only. */
    private static final Set<String> LISTS = Set.of(
            "search_path",
            "datestyle",
            "temp_tablespaces",
            "session_preload_libraries",
            "local_preload_libraries",
            "createrole_self_grant",
            "restrict_nonsystem_relation_kind",
            "wal_consistency_checking",
            "backtrace_functions");

    /** Lists whose elements are identifiers, quoted where {@code quote_identifier} does. */
    private static final Set<String> IDENTIFIER_LISTS =
            Set.of("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries");

    /** How the names begin of what the proxy shows of itself. */
    private static final String OURS = "tenantry.";

    private final Lexer t;
    private final ControlStatements control;

    SettingStatements(Lexer lexer, ControlStatements controlStatements) {
        t = lexer;
        control = controlStatements;
    }

    /** After SET [SESSION | LOCAL]; the current token begins the rest. */
    StatementAction set(boolean local) {
        StatementAction action = rest(local);
        return action != null && atEnd() ? action : ControlStatements.NONE;
    }

    private @Nullable StatementAction rest(boolean local) {
        Keyword first = t.keyword(0);
        if (!isAssignment(1)) {
            switch (first) {
                case TIME -> {
                    return t.is(1, Keyword.ZONE) ? timeZone(local) : null;
                }
                case NAMES -> {
                    return oneWord("client_encoding", local, 1);
                }
                case ROLE -> {
                    return oneWord("role", local, 1);
                }
                case SCHEMA -> {
                    return schema(local);
                }
                case XML -> {
                    return xmlOption(local);
                }
                case SESSION -> {
                    if (t.is(1, Keyword.CHARACTERISTICS)) {
                        return characteristics();
                    }
                    return t.is(1, Keyword.AUTHORIZATION) ? oneWord("session_authorization", local, 2) : null;
                }
                default -> {}
            }
        }
        return assignment(local);
    }

    private boolean isAssignment(int k) {
        return t.isOperator(k, '=') || t.is(k, Keyword.TO) || t.type(k) == Lexer.DOT;
    }

    private @Nullable StatementAction assignment(boolean local) {
        String name = variable();
        if (name == null || (!t.isOperator(0, '=') && !t.is(0, Keyword.TO))) {
            return null;
        }
        t.advance();
        if (t.is(0, Keyword.DEFAULT)) {
            t.advance();
            return new ResetVariable(name, local);
        }
        boolean quote = IDENTIFIER_LISTS.contains(name);
        StringBuilder text = new StringBuilder();
        int count = 0;
        while (true) {
            String value = value(quote);
            if (value == null) {
                return null;
            }
            text.append(count++ == 0 ? "" : ", ").append(value);
            if (t.type(0) != Lexer.COMMA) {
                break;
            }
            t.advance();
        }
        SettingValue value = count == 1 || LISTS.contains(name)
                ? new SettingValue.Text(text.toString())
                : new SettingValue.StatementOnly();
        return new SetVariable(name, local, value);
    }

    /** A setting's name, its parts joined by points, in lower case. */
    @Nullable
    String variable() {
        if (!t.isName(0)) {
            return null;
        }
        StringBuilder name = new StringBuilder(t.name(0));
        t.advance();
        while (t.type(0) == Lexer.DOT && t.isName(1)) {
            name.append('.').append(t.name(1));
            t.advance(2);
        }
        return name.toString().toLowerCase(Locale.ROOT);
    }

    private @Nullable String value(boolean quote) {
        if (t.type(0) == Lexer.NUMBER || t.isOperator(0, '-') || t.isOperator(0, '+')) {
            return number();
        }
        String word = word(0);
        if (word == null) {
            return null;
        }
        t.advance();
        return quote ? SearchPath.quoteIdentifier(word) : word;
    }

    /** A string, a name, or a keyword that is not reserved; TRUE, FALSE and ON too. */
    private @Nullable String word(int k) {
        if (t.type(k) == Lexer.STRING) {
            byte form = t.form(k);
            return form == TextDecoder.NATIONAL || form == TextDecoder.NATIONAL_ESCAPES ? null : t.string(k);
        }
        if (!t.isLabel(k)) {
            return null;
        }
        boolean reserved = (t.flags(k) & KnownNames.RESERVED) != 0;
        return switch (t.keyword(k)) {
            case TRUE, FALSE, ON -> t.name(k);
            default -> reserved ? null : t.name(k);
        };
    }

    /** A number as PostgreSQL prints the constant it makes of it. */
    private @Nullable String number() {
        boolean negative = t.isOperator(0, '-');
        if (negative || t.isOperator(0, '+')) {
            t.advance();
        }
        if (t.type(0) != Lexer.NUMBER) {
            return null;
        }
        String raw = t.raw(0);
        t.advance();
        Long integer = integer(raw);
        String text = integer == null ? raw : Long.toString(integer);
        return negative && !text.equals("0") ? "-" + text : text;
    }

    private static @Nullable Long integer(String raw) {
        String digits = raw.replace("_", "").toLowerCase(Locale.ROOT);
        int radix = digits.startsWith("0x") ? 16 : digits.startsWith("0o") ? 8 : digits.startsWith("0b") ? 2 : 10;
        try {
            long value = Long.parseLong(radix == 10 ? digits : digits.substring(2), radix);
            return value <= Integer.MAX_VALUE ? value : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private @Nullable StatementAction oneWord(String name, boolean local, int at) {
        t.advance(at);
        boolean named = !name.equals("role");
        if (atEnd() && name.equals("client_encoding")) {
            return new ResetVariable(name, local);
        }
        if (named && t.is(0, Keyword.DEFAULT)) {
            t.advance();
            return new ResetVariable(name, local);
        }
        boolean encoding = name.equals("client_encoding");
        String word = encoding && t.type(0) != Lexer.STRING ? null : word(0);
        if (word == null) {
            return null;
        }
        t.advance();
        return new SetVariable(name, local, new SettingValue.Text(word));
    }

    private @Nullable StatementAction schema(boolean local) {
        String word = t.type(1) == Lexer.STRING ? word(1) : null;
        if (word == null) {
            return null;
        }
        t.advance(2);
        return new SetVariable("search_path", local, new SettingValue.Text(SearchPath.quoteIdentifier(word)));
    }

    private @Nullable StatementAction xmlOption(boolean local) {
        boolean document = t.is(2, Keyword.DOCUMENT);
        if (!t.is(1, Keyword.OPTION) || (!document && !t.is(2, Keyword.CONTENT))) {
            return null;
        }
        t.advance(3);
        return new SetVariable("xmloption", local, new SettingValue.Text(document ? "DOCUMENT" : "CONTENT"));
    }

    private @Nullable StatementAction timeZone(boolean local) {
        t.advance(2);
        return switch (t.keyword(0)) {
            case DEFAULT, LOCAL -> {
                t.advance();
                yield new ResetVariable("timezone", local);
            }
            case INTERVAL -> {
                while (!atEnd()) {
                    t.advance();
                }
                yield new SetVariable("timezone", local, new SettingValue.StatementOnly());
            }
            default -> {
                boolean keyword = t.type(0) == Lexer.IDENT && (t.flags(0) & KnownNames.KEYWORD) != 0;
                String value = keyword ? null : value(false);
                yield value == null ? null : new SetVariable("timezone", local, new SettingValue.Text(value));
            }
        };
    }

    private @Nullable StatementAction characteristics() {
        if (!t.is(2, Keyword.AS) || !t.is(3, Keyword.TRANSACTION)) {
            return null;
        }
        t.advance(4);
        List<SetVariable> settings = new ArrayList<>();
        boolean formed = control.transactionModes(
                (name, value) -> settings.add(new SetVariable("default_" + name, false, new SettingValue.Text(value))));
        return formed && !settings.isEmpty() ? new SessionCharacteristics(List.copyOf(settings)) : null;
    }

    /** SHOW, its first word not yet read: one of a setting is the node's own business. */
    StatementAction show() {
        t.advance();
        String name = variable();
        if (name != null && name.startsWith(OURS) && atEnd()) {
            for (ShowActivity.Subject subject : ShowActivity.Subject.values()) {
                if (name.substring(OURS.length()).equals(subject.name().toLowerCase(Locale.ROOT))) {
                    return new ShowActivity(subject);
                }
            }
        }
        return ControlStatements.NONE;
    }

    /** RESET, its first word not yet read. */
    StatementAction reset() {
        t.advance();
        StatementAction action;
        if (t.is(0, Keyword.ALL)) {
            t.advance();
            action = new ResetAll();
        } else if (t.is(0, Keyword.TIME) && t.is(1, Keyword.ZONE)) {
            t.advance(2);
            action = new ResetVariable("timezone", false);
        } else if (t.is(0, Keyword.SESSION) && t.is(1, Keyword.AUTHORIZATION)) {
            t.advance(2);
            action = new ResetVariable("session_authorization", false);
        } else if (t.is(0, Keyword.TRANSACTION) && t.is(1, Keyword.ISOLATION) && t.is(2, Keyword.LEVEL)) {
            t.advance(3);
            action = new ResetVariable("transaction_isolation", false);
        } else {
            String name = variable();
            action = name == null ? ControlStatements.NONE : new ResetVariable(name, false);
        }
        return atEnd() ? action : ControlStatements.NONE;
    }

    private boolean atEnd() {
        return t.type(0) == Lexer.END;
    }
}
