package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads triggers, and whether they fire; on partitions they are made with the partitioned table's. */
final class Triggers {

    private static final String QUERY = """
            SELECT t.oid::bigint AS oid, t.tgname::text AS name, c.oid::bigint AS relation, t.tgisinternal AS internal,
                   t.tgparentid::bigint AS parent, t.tgconstraint::bigint AS constraint_oid,
                   CASE WHEN t.tgisinternal OR t.tgparentid <> 0 THEN ''
                        ELSE pg_get_triggerdef(t.oid) END AS definition,
                   CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                        WHEN 'A' THEN 'ENABLE ALWAYS' END AS firing
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'v')
            JOIN pg_trigger t ON t.tgrelid = c.oid AND (NOT t.tgisinternal OR t.tgenabled <> 'O')
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            ORDER BY t.oid
            """;

    private final Draft draft;
    private final Tables tables;

    private Triggers(Draft draft, Tables tables) {
        this.draft = draft;
        this.tables = tables;
    }

    static void read(Snapshot snapshot, Draft draft, Tables tables) {
        Triggers triggers = new Triggers(draft, tables);
        List<CatalogRow> ofPartitions = new ArrayList<>();
        for (CatalogRow row : snapshot.rows(QUERY)) {
            if (row.flag("internal")) {
                draft.refuse(
                        "trigger " + SqlName.quoted(row.text("name")) + " on "
                                + triggers.relation(row).name(),
                        "a constraint's own trigger does not fire as usual");
            } else if (row.number("parent") == 0) {
                triggers.add(row);
            } else {
                ofPartitions.add(row);
            }
        }
        ofPartitions.forEach(triggers::addOfPartition);
    }

    private void add(CatalogRow row) {
        Piece relation = relation(row);
        Piece piece = draft.add(PieceKind.TRIGGER, address(row), title(row))
                .with(row.text("definition"))
                .requires(relation.key());
        tables.descent(row.number("relation")).forEach(piece::requires);
        draft.names(address(row), "TRIGGER", SqlName.quoted(row.text("name")) + " ON " + relation.name());
        if (row.number("constraint_oid") != 0) {
            draft.belongs(Address.constraint(row.number("constraint_oid")), piece);
        }
        addFiring(row, piece);
    }

    private void addOfPartition(CatalogRow row) {
        Optional<Piece> root = draft.maker(new Address(Address.TRIGGER, row.number("parent")));
        if (root.isEmpty()) {
            draft.refuse("trigger " + title(row), "it is a partitioned table's of another schema");
            return;
        }
        draft.belongs(address(row), root.get());
        if (row.number("constraint_oid") != 0) {
            draft.belongs(Address.constraint(row.number("constraint_oid")), root.get());
        }
        addFiring(row, root.get());
    }

    /** One that fires for changes that are applied must not do so before the last has been. */
    private void addFiring(CatalogRow row, Piece trigger) {
        row.optional("firing").ifPresent(firing -> {
            Piece piece = draft.add(PieceKind.FIRING, row.number("oid"), title(row))
                    .with("ALTER TABLE ONLY " + relation(row).name() + ' ' + firing + " TRIGGER "
                            + SqlName.quoted(row.text("name")))
                    .requires(trigger.key());
            if (firing.equals("DISABLE")) {
                piece.in(Phase.AFTER_DATA);
            }
        });
    }

    private String title(CatalogRow row) {
        return relation(row).name() + '.' + SqlName.quoted(row.text("name"));
    }

    private Piece relation(CatalogRow row) {
        return draft.maker(Address.relation(row.number("relation"))).orElseThrow();
    }

    private static Address address(CatalogRow row) {
        return new Address(Address.TRIGGER, row.number("oid"));
    }
}
