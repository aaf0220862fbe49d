package dev.tenantry.sql;

import java.util.List;

/** The schema names that the text of a literal or of a bound parameter of a catalog query may mean. */
public final class CatalogNames {

    private CatalogNames() {}

    /**
     * The text itself; the name inside a pattern as psql and pg_dump write it, {@code ^(name)$}; the text without
     * the backslashes that a LIKE pattern needs; the schema part of {@code schema.relation}.
     */
    public static List<String> candidates(String text) {
        if (text.startsWith("^(") && text.endsWith(")$") && text.length() > 4) {
            return List.of(unescaped(text.substring(2, text.length() - 2)));
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
