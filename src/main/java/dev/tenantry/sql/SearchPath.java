package dev.tenantry.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The text of lists of identifiers such as {@code search_path}, read and written as PostgreSQL does. */
public final class SearchPath {

    private SearchPath() {}

    /**
     * The names in a setting's text: separated by commas, blanks around them ignored, folded unless quoted, cut at 63
     * bytes. Empty when the text is no such list, so that PostgreSQL refuses it.
     */
    public static Optional<List<String>> parse(String text) {
        return split(text, ',');
    }

    /** The text that {@link #parse} reads back: each name quoted where PostgreSQL's {@code quote_identifier} does. */
    public static String format(List<String> names) {
        StringBuilder formatted = new StringBuilder();
        for (String name : names) {
            formatted.append(formatted.isEmpty() ? "" : ", ").append(quoteIdentifier(name));
        }
        return formatted.toString();
    }

    /** The parts of a name, as in {@code 'schema.sequence'}; empty when it is none. */
    static Optional<List<String>> split(String text, char separator) {
        List<String> names = new ArrayList<>();
        int at = afterBlanks(text, 0);
        if (at == text.length()) {
            return Optional.of(List.of());
        }
        while (true) {
            int end;
            if (at < text.length() && text.charAt(at) == '"') {
                StringBuilder name = new StringBuilder();
                end = quoted(text, at + 1, name);
                if (end < 0) {
                    return Optional.empty();
                }
                names.add(truncated(name.toString()));
            } else {
                end = at;
                while (end < text.length() && text.charAt(end) != separator && !isBlank(text.charAt(end))) {
                    end++;
                }
                if (end == at) {
                    return Optional.empty();
                }
                names.add(truncated(folded(text.substring(at, end))));
            }
            end = afterBlanks(text, end);
            if (end == text.length()) {
                return Optional.of(List.copyOf(names));
            }
            if (text.charAt(end) != separator) {
                return Optional.empty();
            }
            at = afterBlanks(text, end + 1);
        }
    }

    /** The identifier as PostgreSQL prints it: in quotes only when it has to be. */
    static String quoteIdentifier(String name) {
        boolean safe = !name.isEmpty() && (isSmall(name.charAt(0)) || name.charAt(0) == '_');
        for (int i = 0; safe && i < name.length(); i++) {
            char c = name.charAt(i);
            safe = isSmall(c) || (c >= '0' && c <= '9') || c == '_';
        }
        if (safe) {
            int flags = KnownNames.get().flags(name);
            safe = (flags & KnownNames.KEYWORD) == 0 || (flags & KnownNames.UNRESERVED) != 0;
        }
        return safe ? name : SqlName.quoted(name);
    }

    /** The identifier cut at 63 bytes of UTF-8, between characters. */
    static String truncated(String name) {
        if (name.length() * 3 <= KnownNames.NAME_BYTES_MAX) {
            return name;
        }
        int bytes = 0;
        for (int i = 0; i < name.length(); ) {
            int point = name.codePointAt(i);
            bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
            if (bytes > KnownNames.NAME_BYTES_MAX) {
                return name.substring(0, i);
            }
            i += Character.charCount(point);
        }
        return name;
    }

    /** ASCII capitals made small; PostgreSQL folds no others in UTF-8. */
    static String folded(String name) {
        StringBuilder folded = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            folded.append(c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c);
        }
        return folded.toString();
    }

    private static int quoted(String text, int from, StringBuilder name) {
        int at = from;
        while (true) {
            int end = text.indexOf('"', at);
            if (end < 0) {
                return -1;
            }
            name.append(text, at, end);
            if (end + 1 == text.length() || text.charAt(end + 1) != '"') {
                return end + 1;
            }
            name.append('"');
            at = end + 2;
        }
    }

    private static int afterBlanks(String text, int from) {
        int at = from;
        while (at < text.length() && isBlank(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }

    private static boolean isSmall(char c) {
        return c >= 'a' && c <= 'z';
    }
}
