package dev.tenantry.sql;

import java.util.List;

/** The schema names and oids that the text of a literal or of a bound parameter of a catalog query may mean. */
public final class CatalogNames {

    /** Objects that people create have oids from here on. */
    static final int FIRST_NORMAL_OID = 16384;

    private CatalogNames() {}

    /**
     * The text itself; the elements of an array; the name inside a pattern as psql and pg_dump write it,
     * {@code ^(name)$}; the text without the backslashes that a LIKE pattern needs; the schema part of
     * {@code schema.relation}.
     */
    public static List<String> candidates(String text) {
        if (text.startsWith("^(") && text.endsWith(")$") && text.length() > 4) {
            return List.of(unescaped(text.substring(2, text.length() - 2)));
        }
        if (text.startsWith("{") && text.endsWith("}")) {
            return ArrayLiteral.elements(text).stream()
                    .map(SearchPath::truncated) // as those of name[] are
                    .toList();
        }
        if (text.indexOf('\\') >= 0) {
            return List.of(text, unescaped(text));
        }
        if (text.indexOf('.') > 0 || text.indexOf('"') >= 0) {
            List<String> parts = SearchPath.split(text, '.').orElse(List.of());
            return parts.size() > 1 ? List.of(text, parts.get(parts.size() - 2)) : List.of(text);
        }
        return List.of(text);
    }

    /** A number as psql writes oids ({@code '16385'}), or an array of them as pg_dump does. */
    public static boolean isOid(String text) {
        int from = text.startsWith("{") ? 1 : 0;
        long value = 0;
        for (int i = from; i < text.length() && value < FIRST_NORMAL_OID; i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                if (from == 0 || (c != ',' && c != '}')) {
                    return false;
                }
                value = 0;
            } else {
                value = value * 10 + (c - '0');
            }
        }
        return value >= FIRST_NORMAL_OID;
    }

    private static String unescaped(String pattern) {
        StringBuilder plain = new StringBuilder(pattern.length());
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c == '\\' && i + 1 < pattern.length()) {
                i++;
                c = pattern.charAt(i);
            }
            plain.append(c);
        }
        return plain.toString();
    }
}
