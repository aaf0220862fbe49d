package dev.tenantry.blueprint;

/**
 * How a command names an object.
 *
 * @param word the kind, {@code MATERIALIZED VIEW}
 * @param name the rest, {@code "acme"."report"} or {@code "reader" ON "acme"."notes"}
 */
record ObjectName(String word, String name) {

    @Override
    public String toString() {
        return word + ' ' + name;
    }

    /** What GRANT calls it. */
    String forGrant() {
        String kind = switch (word) {
            case "VIEW", "MATERIALIZED VIEW" -> "TABLE";
            case "DOMAIN" -> "TYPE";
            default -> word;
        };
        return kind + ' ' + name;
    }
}
