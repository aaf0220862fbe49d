package dev.tenantry.it;

import java.util.List;

/**
 * A prepared statement, what is done to its table before it is run again, and what PostgreSQL 15 to 18 say then: the
 * result that a statement had when it was prepared must be that of the statement as it is analysed again (names, types,
 * modifiers and collations of columns; {@code RevalidateCachedQuery} in plancache.c).
 *
 * @param label what changes
 * @param statement what is prepared while {@code t} is {@code (id int, name varchar(10), kind changed_kind)}
 * @param change what another session does then
 * @param sqlState of the error, or nothing when it runs
 */
record ChangedResult(String label, String statement, List<String> change, String sqlState) {

    static final String REFUSED = "0A000";

    /** In the order of the manual's ALTER TABLE, more or less. */
    static final List<ChangedResult> ALL = List.of(
            refused("a column more", "SELECT * FROM t", "ALTER TABLE t ADD COLUMN more int"),
            refused("a column less", "SELECT * FROM t", "ALTER TABLE t DROP COLUMN name"),
            refused("another type", "SELECT id FROM t", "ALTER TABLE t ALTER COLUMN id TYPE bigint"),
            refused("another length", "SELECT name FROM t", "ALTER TABLE t ALTER COLUMN name TYPE varchar(20)"),
            refused("another name", "SELECT * FROM t", "ALTER TABLE t RENAME COLUMN name TO title"),
            refused(
                    "a text that was a number",
                    "SELECT * FROM v",
                    "DROP VIEW v",
                    "CREATE VIEW v AS SELECT ''::text AS id"),
            refused(
                    "another type of its own for one",
                    "SELECT kind FROM t",
                    "CREATE TYPE other_kind AS ENUM ('a')",
                    "ALTER TABLE t ALTER COLUMN kind TYPE other_kind USING kind::text::other_kind"),
            refused("RETURNING", "UPDATE t SET id = 2 RETURNING *", "ALTER TABLE t ADD COLUMN more int"),
            new ChangedResult(
                    "what it names is gone", "SELECT name FROM t", List.of("ALTER TABLE t DROP COLUMN name"), "42703"),
            runs("the columns that are named", "SELECT id, name FROM t", "ALTER TABLE t ADD COLUMN more int"),
            runs("no result", "UPDATE t SET id = 2", "ALTER TABLE t ADD COLUMN more int"),
            runs(
                    "constraints and defaults",
                    "SELECT * FROM t",
                    "ALTER TABLE t ALTER id SET NOT NULL, ALTER id SET DEFAULT 1"),
            runs("an index", "SELECT * FROM t", "CREATE INDEX ON t (id)"),
            runs(
                    "there and back",
                    "SELECT * FROM t",
                    "ALTER TABLE t ADD COLUMN more int",
                    "ALTER TABLE t DROP COLUMN more"),
            runs(
                    "another table just like it",
                    "SELECT id, name FROM t",
                    "DROP TABLE t CASCADE",
                    "CREATE TABLE t (id int, name varchar(10))"),
            runs("EXPLAIN", "EXPLAIN SELECT * FROM t", "ALTER TABLE t ADD COLUMN more int"));

    /** What a client of the wire protocol is not told of, so that nobody but the server can compare it. */
    static final List<ChangedResult> UNSEEN = List.of(
            refused(
                    "another collation",
                    "SELECT name FROM t",
                    "ALTER TABLE t ALTER COLUMN name TYPE varchar(10) COLLATE \"C\""),
            refused(
                    "a domain for its type",
                    "SELECT id FROM t",
                    "CREATE DOMAIN changed_int AS int",
                    "ALTER TABLE t ALTER COLUMN id TYPE changed_int"));

    private static ChangedResult refused(String label, String statement, String... change) {
        return new ChangedResult(label, statement, List.of(change), REFUSED);
    }

    private static ChangedResult runs(String label, String statement, String... change) {
        return new ChangedResult(label, statement, List.of(change), "");
    }

    /** What there is before, in the schema that is first in the search_path. */
    static List<String> made() {
        return List.of(
                "CREATE TYPE changed_kind AS ENUM ('a', 'b')",
                "CREATE TABLE t (id int, name varchar(10), kind changed_kind)",
                "INSERT INTO t VALUES (1, 'one', 'a')",
                "CREATE VIEW v AS SELECT 1 AS id",
                "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t'");
    }

    @Override
    public String toString() {
        return label;
    }
}
