package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tables of a schema that call functions which must not run with the control plane's rights; see {@link
 * Source#guarded}. Immutable.
 *
 * @param any whether there is one, partitioned ones included, or a type that calls such functions
 * @param owners of those with rows of their own, by table; none is a superuser
 * @param constraints those that such tables have to satisfy, and the rows of their copies do, as those here do
 * @param calls functions that the rows of those tables call and their owners may not, by owner
 * @param readers owners of the other tables about which queries are asked in their names, by table; none is a superuser
 * @param whole tables about which none is asked: those of {@code owners}, and those that their owners may not read
 * @param obstacles objects that stand in the way of some moves, by the reason; see {@link RowFunctions}
 */
public record GuardedTables(
        boolean any,
        Map<String, String> owners,
        Map<String, List<String>> calls,
        Map<String, String> readers,
        Set<String> whole,
        List<Constraint> constraints,
        Map<String, List<String>> obstacles) {

    /**
     * A check constraint or a foreign key.
     *
     * @param word which of them, as blueprints have it
     */
    public record Constraint(String word, String schema, String table, String name) {

        /** As blueprints call it. */
        public String object() {
            return word + " " + Source.qualified(schema, table) + "." + SqlName.quoted(name);
        }

        /**
         * Says that all rows satisfy it, wherever it was handed down to, without looking at them.
         *
         * @return a statement for the transaction in which it was added as not valid
         */
        public String declareValid() {
            String relation = SqlName.literal(Source.qualified(schema, table)) + "::pg_catalog.regclass";
            String constraint = SqlName.literal(name);
            return """
                    WITH RECURSIVE below (oid) AS (
                        SELECT %s::oid
                        UNION SELECT i.inhrelid FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid),
                    made (oid) AS (
                        SELECT c.oid FROM pg_catalog.pg_constraint c JOIN below b ON b.oid = c.conrelid
                        WHERE c.conname = %s AND (c.contype = 'c' OR c.conrelid = %s)
                        UNION SELECT c.oid FROM made m JOIN pg_catalog.pg_constraint c ON c.conparentid = m.oid)
                    UPDATE pg_catalog.pg_constraint SET convalidated = true
                    WHERE NOT convalidated AND oid IN (SELECT oid FROM made)
                    """.formatted(relation, constraint, relation);
        }
    }

    /** With collections of its own. */
    public GuardedTables {
        owners = Map.copyOf(owners);
        calls = Map.copyOf(calls);
        readers = Map.copyOf(readers);
        whole = Set.copyOf(whole);
        constraints = List.copyOf(constraints);
        obstacles = Map.copyOf(obstacles);
    }
}
