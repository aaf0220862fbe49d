package dev.tenantry.blueprint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which tables are partitions or children of which, in the order of the parents. */
final class Inheritance {

    private static final String QUERY = """
            SELECT i.inhrelid::bigint AS child, i.inhparent::bigint AS parent, pn.nspname::text AS parent_schema,
                   p.relname::text AS parent_name, i.inhdetachpending AS detaching
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            JOIN pg_inherits i ON i.inhrelid = c.oid
            JOIN pg_class p ON p.oid = i.inhparent
            JOIN pg_namespace pn ON pn.oid = p.relnamespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            ORDER BY i.inhrelid, i.inhseqno
            """;

    private final Map<Long, List<Parent>> parents = new HashMap<>();
    private final Map<Long, List<Long>> children = new HashMap<>();

    /**
     * One parent of a table.
     *
     * @param oid of the parent
     * @param sqlName with its schema
     * @param detaching whether DETACH CONCURRENTLY has begun
     */
    record Parent(long oid, String sqlName, boolean detaching) {}

    private Inheritance() {}

    static Inheritance read(Snapshot snapshot) {
        Inheritance inheritance = new Inheritance();
        for (CatalogRow row : snapshot.rows(QUERY)) {
            Parent parent = new Parent(
                    row.number("parent"),
                    QualifiedName.of(row.text("parent_schema"), row.text("parent_name")),
                    row.flag("detaching"));
            long child = row.number("child");
            inheritance
                    .parents
                    .computeIfAbsent(child, first -> new ArrayList<>())
                    .add(parent);
            inheritance
                    .children
                    .computeIfAbsent(parent.oid(), first -> new ArrayList<>())
                    .add(child);
        }
        return inheritance;
    }

    List<Parent> parents(long table) {
        return parents.getOrDefault(table, List.of());
    }

    /** All tables below one, at every level. */
    Set<Long> descendants(long table) {
        Set<Long> found = new LinkedHashSet<>();
        Deque<Long> todo = new ArrayDeque<>(children.getOrDefault(table, List.of()));
        while (!todo.isEmpty()) {
            long child = todo.remove();
            if (found.add(child)) {
                todo.addAll(children.getOrDefault(child, List.of()));
            }
        }
        return found;
    }

    /** All tables above one, at every level, the nearest first. */
    Set<Long> ancestors(long table) {
        Set<Long> found = new LinkedHashSet<>();
        Deque<Long> todo = new ArrayDeque<>(List.of(table));
        while (!todo.isEmpty()) {
            for (Parent parent : parents(todo.remove())) {
                if (found.add(parent.oid())) {
                    todo.add(parent.oid());
                }
            }
        }
        return found;
    }
}
