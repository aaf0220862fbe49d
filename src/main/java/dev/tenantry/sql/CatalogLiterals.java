package dev.tenantry.sql;

import java.util.ArrayList;
import java.util.List;

/** The string literals of a catalog query: what may be a schema's name, and whether one holds oids. */
record CatalogLiterals(List<String> names, boolean oid) {
    private static final int NAME_LITERAL_BYTES_MAX = 160;

    static final CatalogLiterals NONE = new CatalogLiterals(List.of(), false);

    static CatalogLiterals of(Lexer lexer, int[] literals, int count) {
        List<String> names = new ArrayList<>();
        boolean oid = false;
        for (int i = 0; i < count; i++) {
            int length = literals[3 * i + 1] - literals[3 * i];
            String text = lexer.string(literals[3 * i], literals[3 * i + 1], (byte) literals[3 * i + 2]);
            oid |= CatalogNames.isOid(text);
            if (length <= NAME_LITERAL_BYTES_MAX && !text.isEmpty()) {
                CatalogNames.candidates(text).stream()
                        .filter(name -> !names.contains(name))
                        .forEach(names::add);
            }
        }
        return new CatalogLiterals(List.copyOf(names), oid);
    }
}
