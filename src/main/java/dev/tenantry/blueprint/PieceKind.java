package dev.tenantry.blueprint;

/**
 * The kinds of things a schema is made of. Where nothing depends on anything, they are created in this order, which is
 * the one in which their texts may name each other without the server noting it: the body of a function is text.
 */
enum PieceKind {
    SCHEMA("schema", Phase.BEFORE_DATA),
    COLLATION("collation", Phase.BEFORE_DATA),
    TYPE("type", Phase.BEFORE_DATA),
    STUB("stand-in of", Phase.BEFORE_DATA),
    FUNCTION("function", Phase.BEFORE_DATA),
    AGGREGATE("aggregate", Phase.BEFORE_DATA),
    OPERATOR("operator", Phase.BEFORE_DATA),
    OPERATOR_FAMILY("operator family", Phase.BEFORE_DATA),
    OPERATOR_CLASS("operator class", Phase.BEFORE_DATA),
    OPERATOR_FAMILY_MEMBERS("members of operator family", Phase.BEFORE_DATA),
    CONVERSION("conversion", Phase.BEFORE_DATA),
    TEXT_SEARCH_PARSER("text search parser", Phase.BEFORE_DATA),
    TEXT_SEARCH_TEMPLATE("text search template", Phase.BEFORE_DATA),
    TEXT_SEARCH_DICTIONARY("text search dictionary", Phase.BEFORE_DATA),
    TEXT_SEARCH_CONFIGURATION("text search configuration", Phase.BEFORE_DATA),
    CAST("cast", Phase.BEFORE_DATA),
    DOMAIN_CONSTRAINT("constraint of domain", Phase.BEFORE_DATA),
    SEQUENCE("sequence", Phase.BEFORE_DATA),
    TABLE("table", Phase.BEFORE_DATA),
    INHERITANCE("inheritance", Phase.BEFORE_DATA),
    SEQUENCE_OWNER("owner of sequence", Phase.BEFORE_DATA),
    DEFAULT("default", Phase.BEFORE_DATA),
    CONSTRAINT("constraint", Phase.BEFORE_DATA),
    KEY("constraint", Phase.AFTER_DATA),
    REPLICA_IDENTITY("replica identity", Phase.BEFORE_DATA),
    VIEW("view", Phase.AFTER_DATA),
    MATERIALIZED_VIEW("materialized view", Phase.AFTER_DATA),
    INDEX("index", Phase.AFTER_DATA),
    INDEX_ATTACHMENT("partition of index", Phase.AFTER_DATA),
    CLUSTERING("clustering", Phase.AFTER_DATA),
    STATISTICS("statistics", Phase.AFTER_DATA),
    LATE_CONSTRAINT("constraint", Phase.AFTER_DATA),
    FOREIGN_KEY("foreign key", Phase.AFTER_DATA),
    RULE("rule", Phase.AFTER_DATA),
    TRIGGER("trigger", Phase.AFTER_DATA),
    POLICY("policy", Phase.AFTER_DATA),
    ROW_SECURITY("row-level security", Phase.AFTER_DATA),
    DEFAULT_PRIVILEGES("default privileges", Phase.AFTER_DATA),
    PUBLICATION("publication", Phase.AFTER_DATA),
    PUBLISHED("publishing of", Phase.AFTER_DATA),
    PUBLISHED_AS_A_WHOLE("publishing of schema", Phase.AFTER_DATA),
    FIRING("firing of trigger", Phase.AT_SWITCH),
    FORCED_ROW_SECURITY("forced row-level security", Phase.AT_SWITCH),
    CONTENTS("contents of materialized view", Phase.AT_SWITCH);

    private final String words;
    private final Phase phase;

    PieceKind(String words, Phase phase) {
        this.words = words;
        this.phase = phase;
    }

    /** When things of this kind are made, unless something made earlier needs one. */
    Phase phase() {
        return phase;
    }

    /** What people call a thing of this kind. */
    String of(String name) {
        return words + " " + name;
    }
}
