package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Statements that make a schema of random kinds of objects with random options, and change it, so that it has a
 * history. The same seed gives the same. Not each of them is possible; those that a server refuses are left out.
 */
final class RandomSchema {

    private static final List<String> ODD = List.of(
            "plain",
            "Mixed Case",
            "with \"quotes\"",
            "sélect",
            "order",
            "a.b",
            "$1",
            "back\\slash",
            "semi;colon",
            "it's");
    private static final List<String> TYPES = List.of(
            "int",
            "bigint",
            "smallint",
            "text",
            "varchar(20)",
            "numeric(10,3)",
            "bool",
            "timestamptz",
            "date",
            "jsonb",
            "uuid",
            "int[]",
            "text[]",
            "int4range",
            "interval(0)",
            "bytea",
            "char(3)",
            "bit(4)",
            "money",
            "xml",
            "inet");
    private static final List<String> ROLES = List.of("alice", "bob", "carol", "\"Odd \"\"role\"", "PUBLIC");

    private final Random random;
    private final String schema;
    private final List<String> statements = new ArrayList<>();
    private final List<String> tables = new ArrayList<>();
    private final List<String> types = new ArrayList<>();
    private final List<String> views = new ArrayList<>();
    private final List<String> functions = new ArrayList<>();
    private final List<String> columns = new ArrayList<>();
    private int names;

    RandomSchema(long seed, String schema) {
        this.random = new Random(seed);
        this.schema = SqlName.quoted(schema);
        IntStream.range(0, 6).forEach(i -> columns.add(name()));
    }

    List<String> statements() {
        add("CREATE SCHEMA " + schema + " AUTHORIZATION " + pick(ROLES.subList(0, 4)));
        add("SET search_path = " + schema);
        times(4, this::addType);
        times(4, this::addFunction);
        times(8, this::addTable);
        List<Runnable> steps = List.of(
                this::addTable,
                this::addType,
                this::addFunction,
                this::addPartitioned,
                this::addIndex,
                this::addIndex,
                this::addConstraint,
                this::addConstraint,
                this::addForeignKey,
                this::addView,
                this::addTrigger,
                this::addRule,
                this::addPolicy,
                this::changeColumn,
                this::changeColumn,
                this::changeTable,
                this::addGrant,
                this::addGrant,
                this::addComment,
                this::addSequence,
                this::addStatistics,
                this::addPublished);
        times(80, () -> pick(steps).run());
        return statements;
    }

    private void addType() {
        String name = name();
        types.add(name);
        add(pick(List.of(
                "CREATE TYPE %s AS ENUM ('a', 'b''c', 'd\\e')".formatted(name),
                "CREATE DOMAIN %s AS %s %s".formatted(name, pick(TYPES), maybe("NOT NULL")),
                "CREATE DOMAIN %s AS int DEFAULT 3 CHECK (value > 0) CONSTRAINT %s CHECK (value < 9)"
                        .formatted(name, name()),
                "CREATE TYPE %s AS (%s %s, %s %s)".formatted(name, name(), pick(TYPES), name(), type()),
                "CREATE TYPE %s AS RANGE (subtype = %s)".formatted(name, pick(TYPES)))));
    }

    private void addFunction() {
        String name = name();
        functions.add(name);
        add(pick(List.of(
                "CREATE FUNCTION %s(a int, b text DEFAULT 'x;y') RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'"
                        .formatted(name),
                "CREATE FUNCTION %s(a int) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + 1".formatted(name),
                "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql %s AS $x$ BEGIN RETURN new; END $x$"
                        .formatted(name, maybe("SECURITY DEFINER SET search_path = pg_temp, " + schema)),
                "CREATE FUNCTION %s(r %s) RETURNS SETOF %s LANGUAGE sql AS 'SELECT $1'"
                        .formatted(name, relation(), type()),
                "CREATE PROCEDURE %s(INOUT a %s) LANGUAGE plpgsql AS 'BEGIN END'".formatted(name, type()),
                "CREATE AGGREGATE %s(int) (SFUNC = int4pl, STYPE = int%s)"
                        .formatted(name, maybe(", INITCOND = '0'")))));
    }

    private void addTable() {
        String name = name();
        String parent = tables.isEmpty() ? "" : maybe("INHERITS (" + pick(tables) + ")");
        String list = "id int" + maybe(" PRIMARY KEY")
                + columns.stream()
                        .filter(column -> random.nextInt(3) > 0)
                        .map(this::column)
                        .map(column -> ", " + column)
                        .collect(Collectors.joining());
        add("CREATE %s TABLE %s (%s) %s %s"
                .formatted(
                        random.nextInt(6) == 0 ? "UNLOGGED" : "",
                        name,
                        list,
                        parent,
                        maybe("WITH (fillfactor = 70, autovacuum_enabled = false)")));
        tables.add(name);
    }

    private void addPartitioned() {
        String name = name();
        String key = columns.getFirst();
        String how = pick(List.of("LIST", "RANGE", "HASH"));
        add("CREATE TABLE %s (%s int %s, %s) PARTITION BY %s (%s)"
                .formatted(name, key, maybe("NOT NULL"), column(columns.get(1)), how, key));
        tables.add(name);
        for (int i = 0; i < 3; i++) {
            String bound = switch (how) {
                case "LIST" -> i == 2 ? "DEFAULT" : "FOR VALUES IN (%d, %d)".formatted(i, i + 10);
                case "RANGE" -> i == 2 ? "DEFAULT" : "FOR VALUES FROM (%d) TO (%d)".formatted(i * 10, i * 10 + 10);
                default -> "FOR VALUES WITH (MODULUS 3, REMAINDER %d)".formatted(i);
            };
            String partition = name();
            if (random.nextBoolean()) {
                add("CREATE TABLE %s PARTITION OF %s %s %s"
                        .formatted(partition, name, bound, maybe("PARTITION BY HASH (" + key + ")")));
            } else {
                add("CREATE TABLE %s (gone int, LIKE %s INCLUDING ALL)".formatted(partition, name));
                add("ALTER TABLE %s DROP COLUMN gone".formatted(partition));
                add("ALTER TABLE %s ATTACH PARTITION %s %s".formatted(name, partition, bound));
            }
            tables.add(partition);
        }
    }

    private void addIndex() {
        add("CREATE %s INDEX %s ON %s%s USING %s (%s %s %s) %s %s %s"
                .formatted(
                        maybe("UNIQUE"),
                        name(),
                        random.nextInt(8) == 0 ? "ONLY " : "",
                        relation(),
                        pick(List.of("btree", "btree", "btree", "hash", "gin", "gist", "brin")),
                        random.nextInt(4) == 0 ? "(lower(" + column() + "::text))" : column(),
                        maybe("COLLATE \"C\""),
                        pick(List.of("", "DESC", "NULLS FIRST", "text_pattern_ops")),
                        maybe("INCLUDE (" + column() + ")"),
                        maybe("NULLS NOT DISTINCT"),
                        maybe("WHERE " + column() + " IS NOT NULL")));
    }

    private void addConstraint() {
        String column = column();
        add("ALTER TABLE %s%s ADD CONSTRAINT %s %s"
                .formatted(
                        maybe("ONLY "),
                        pick(tables),
                        name(),
                        pick(List.of(
                                "CHECK (%s IS NOT NULL OR %s IS NULL) %s"
                                        .formatted(column, column, maybe("NO INHERIT")),
                                "CHECK (%s::text <> 'it''s') NOT VALID".formatted(column),
                                "CHECK (%s(1) > 0)".formatted(pick(functions)),
                                "PRIMARY KEY (%s) %s".formatted(column, maybe("WITH (fillfactor = 60)")),
                                "UNIQUE (%s, %s) %s"
                                        .formatted(column, column(), maybe("DEFERRABLE INITIALLY DEFERRED")),
                                "UNIQUE (%s) INCLUDE (%s)".formatted(column, column()),
                                "EXCLUDE USING hash (%s WITH =)".formatted(column)))));
    }

    private void addForeignKey() {
        String table = pick(tables);
        String column = column();
        add("ALTER TABLE %s ADD CONSTRAINT %s PRIMARY KEY (%s)".formatted(table, name(), column));
        add("ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s) %s %s"
                .formatted(
                        pick(tables),
                        name(),
                        column,
                        table,
                        column,
                        pick(List.of(
                                "", "ON DELETE CASCADE", "ON UPDATE SET NULL", "MATCH FULL", "ON DELETE SET DEFAULT")),
                        pick(List.of("", "DEFERRABLE", "NOT VALID", "INITIALLY DEFERRED"))));
    }

    private void addView() {
        String name = name();
        add("CREATE %s VIEW %s AS SELECT %s FROM %s %s"
                .formatted(
                        pick(List.of("", "", "MATERIALIZED", "OR REPLACE")),
                        name,
                        pick(List.of("*", column(), "t, 1 AS one", "count(*) AS n")),
                        relation() + " t",
                        maybe("WHERE t IS NOT NULL")));
        views.add(name);
        if (random.nextInt(3) == 0) {
            add("ALTER VIEW %s SET (security_barrier = true, security_invoker = false)".formatted(name));
            add("ALTER VIEW %s ALTER COLUMN %s SET DEFAULT NULL".formatted(name, column()));
        }
    }

    private void addTrigger() {
        String name = name();
        String table = relation();
        add("CREATE %s TRIGGER %s %s ON %s FOR EACH %s EXECUTE FUNCTION %s('a''b', '\\')"
                .formatted(
                        random.nextInt(4) == 0 ? "CONSTRAINT" : "",
                        name,
                        pick(List.of("AFTER INSERT", "BEFORE UPDATE", "AFTER INSERT OR DELETE", "INSTEAD OF UPDATE")),
                        table,
                        pick(List.of("ROW", "ROW", "STATEMENT")),
                        pick(functions)));
        add("ALTER TABLE %s %s TRIGGER %s"
                .formatted(
                        pick(List.of(table, pick(tables))),
                        pick(List.of("DISABLE", "ENABLE", "ENABLE ALWAYS", "ENABLE REPLICA")),
                        name));
    }

    private void addRule() {
        String name = name();
        String table = relation();
        add("CREATE RULE %s AS ON %s TO %s DO %s NOTHING"
                .formatted(name, pick(List.of("INSERT", "UPDATE", "DELETE")), table, pick(List.of("ALSO", "INSTEAD"))));
        add("ALTER TABLE %s %s RULE %s".formatted(table, pick(List.of("DISABLE", "ENABLE ALWAYS")), name));
    }

    private void addPolicy() {
        String table = pick(tables);
        add("CREATE POLICY %s ON %s AS %s FOR %s TO %s USING (%s)"
                .formatted(
                        name(),
                        table,
                        pick(List.of("PERMISSIVE", "RESTRICTIVE")),
                        pick(List.of("ALL", "SELECT", "UPDATE", "DELETE")),
                        pick(ROLES),
                        pick(List.of("true", column() + " IS NULL", "EXISTS (SELECT FROM " + pick(tables) + ")"))));
        add("ALTER TABLE %s %s ROW LEVEL SECURITY".formatted(table, pick(List.of("ENABLE", "FORCE", "DISABLE"))));
    }

    private void changeColumn() {
        String column = column();
        add("ALTER TABLE %s%s %s"
                .formatted(
                        maybe("ONLY "),
                        pick(tables),
                        pick(List.of(
                                "DROP COLUMN " + column,
                                "ADD COLUMN " + column(column),
                                "ADD COLUMN " + column(column),
                                "ALTER COLUMN " + column + " SET DEFAULT NULL",
                                "ALTER COLUMN " + column + " DROP DEFAULT",
                                "ALTER COLUMN " + column + " SET NOT NULL",
                                "ALTER COLUMN " + column + " DROP NOT NULL",
                                "ALTER COLUMN " + column + " SET STATISTICS 55",
                                "ALTER COLUMN " + column + " SET STORAGE EXTERNAL",
                                "ALTER COLUMN " + column + " SET COMPRESSION pglz",
                                "ALTER COLUMN " + column + " SET (n_distinct = -0.25, n_distinct_inherited = 7)",
                                "ALTER COLUMN " + column + " TYPE " + type() + " USING NULL"))));
    }

    private void changeTable() {
        String table = pick(tables);
        add("ALTER TABLE %s %s"
                .formatted(
                        table,
                        pick(List.of(
                                "REPLICA IDENTITY FULL",
                                "REPLICA IDENTITY NOTHING",
                                "SET UNLOGGED",
                                "SET LOGGED",
                                "SET (toast.autovacuum_enabled = false)",
                                "INHERIT " + pick(tables),
                                "NO INHERIT " + pick(tables),
                                "OWNER TO " + pick(ROLES.subList(0, 4)),
                                "CLUSTER ON " + name(),
                                "OF " + type()))));
        if (random.nextInt(5) == 0) {
            String renamed = name();
            add("ALTER TABLE %s RENAME TO %s".formatted(table, renamed));
            tables.add(renamed);
        }
    }

    private void addGrant() {
        String grantee = pick(ROLES);
        String privilege = pick(List.of("SELECT", "INSERT", "UPDATE", "ALL", "REFERENCES"));
        add(pick(List.of(
                "GRANT %s ON %s TO %s".formatted(privilege, relation(), grantee),
                "GRANT %s (%s) ON %s TO %s".formatted(privilege, column(), relation(), grantee),
                "GRANT %s ON %s TO %s WITH GRANT OPTION".formatted(privilege, relation(), pick(ROLES.subList(0, 4))),
                "REVOKE ALL ON %s FROM %s".formatted(relation(), pick(ROLES)),
                "GRANT USAGE ON TYPE %s TO %s".formatted(pick(types), grantee),
                "REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC".formatted(pick(functions)),
                "GRANT CREATE, USAGE ON SCHEMA %s TO %s".formatted(schema, grantee),
                "ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s GRANT SELECT ON TABLES TO %s"
                        .formatted(pick(ROLES.subList(0, 4)), schema, grantee))));
    }

    private void addComment() {
        add("COMMENT ON %s IS 'it''s a \\ comment'"
                .formatted(pick(List.of(
                        "TABLE " + pick(tables),
                        "COLUMN " + relation() + "." + column(),
                        "TYPE " + type(),
                        "ROUTINE " + pick(functions),
                        "VIEW " + relation(),
                        "SCHEMA " + schema))));
    }

    private void addSequence() {
        String name = name();
        add("CREATE SEQUENCE %s AS %s INCREMENT %d CACHE 3 %s"
                .formatted(name, pick(List.of("int", "bigint", "smallint")), random.nextInt(5) + 1, maybe("CYCLE")));
        add("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT nextval('%s.%s')"
                .formatted(pick(tables), column(), schema.replace("'", "''"), name.replace("'", "''")));
        add("ALTER SEQUENCE %s OWNED BY %s.%s".formatted(name, pick(tables), column()));
    }

    private void addStatistics() {
        String name = name();
        add("CREATE STATISTICS %s %s ON %s, %s FROM %s"
                .formatted(name, maybe("(mcv, dependencies)"), column(), column(), pick(tables)));
        add("ALTER STATISTICS %s SET STATISTICS 42".formatted(name));
    }

    private void addPublished() {
        add("CREATE PUBLICATION random_publication FOR TABLE %s WITH (publish = 'insert')".formatted(pick(tables)));
        add("ALTER PUBLICATION random_publication ADD TABLE %s".formatted(pick(tables)));
    }

    private String column(String name) {
        String type = type();
        List<String> options = new ArrayList<>(List.of("", "", "NOT NULL", "DEFAULT NULL"));
        switch (type) {
            case "int", "bigint", "smallint" ->
                options.addAll(List.of(
                        "GENERATED ALWAYS AS IDENTITY",
                        "PRIMARY KEY",
                        "DEFAULT 7",
                        "UNIQUE",
                        "GENERATED BY DEFAULT AS IDENTITY (INCREMENT 3)",
                        "GENERATED ALWAYS AS (1 + 1) STORED"));
            case "text", "varchar(20)" ->
                options.addAll(List.of("COLLATE \"C\" DEFAULT 'it''s \\'", "COMPRESSION pglz", "UNIQUE"));
            case "int4range", "int[]", "text[]", "date", "uuid" -> options.addAll(List.of("UNIQUE", "DEFAULT NULL"));
            default -> {
                // nothing that every type has
            }
        }
        return name + " " + type + " " + pick(options);
    }

    private String name() {
        return SqlName.quoted(pick(ODD) + " " + ++names);
    }

    private String column() {
        return pick(columns);
    }

    private String type() {
        return types.isEmpty() || random.nextInt(3) > 0 ? pick(TYPES) : pick(types) + maybe("[]");
    }

    private String relation() {
        if (tables.isEmpty()) {
            return "pg_catalog.pg_class";
        }
        return views.isEmpty() || random.nextInt(3) > 0 ? pick(tables) : pick(views);
    }

    private String maybe(String text) {
        return random.nextInt(3) == 0 ? text : "";
    }

    private <T> T pick(List<T> list) {
        if (list.isEmpty()) {
            throw new IllegalStateException("nothing to choose from");
        }
        return list.get(random.nextInt(list.size()));
    }

    private void times(int max, Runnable step) {
        int times = max / 2 + random.nextInt(max);
        IntStream.range(0, times).forEach(i -> step.run());
    }

    private void add(String sql) {
        statements.add(sql);
    }
}
