package dev.tenantry.blueprint;

import dev.tenantry.blueprint.TableBlueprint.Kind;
import dev.tenantry.blueprint.TableBlueprint.Persistence;
import dev.tenantry.blueprint.TableBlueprint.ReplicaIdentity;
import dev.tenantry.blueprint.TableBlueprint.Source;
import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads tables with their columns, defaults, partitions and children. */
final class Tables {

    private static final String QUERY = """
            SELECT c.oid::bigint AS oid, c.relname::text AS name, c.relkind::text AS kind,
                   c.relpersistence::text AS persistence, pg_get_userbyid(c.relowner)::text AS owner,
                   CASE WHEN am.amname <> 'heap' THEN am.amname::text END AS access_method,
                   ts.spcname::text AS tablespace, c.relispartition AS partition,
                   c.relreplident::text AS replica_identity, c.relrowsecurity AS row_security,
                   c.relforcerowsecurity AS forced_row_security, c.reloptions AS options,
                   tc.reloptions AS toast_options,
                   CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type,
                   CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
                   pg_get_expr(c.relpartbound, c.oid) AS bound,
                   CASE WHEN c.relkind = 'p' THEN 0 ELSE coalesce(pg_table_size(c.oid), 0) END AS bytes,
                   EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
                       AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)
                       AS has_key, coalesce(rt.oid::bigint, 0) AS row_type,
                   coalesce(rt.typarray::bigint, 0) AS array_type
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            LEFT JOIN pg_type rt ON rt.oid = c.reltype
            LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
            LEFT JOIN pg_am am ON am.oid = c.relam
            LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass
            """;

    /** Subscriptions are in no pg_depend; a move has some of its own for its time. */
    private static final String SUBSCRIBED = """
            SELECT c.relname::text AS name, s.subname::text AS subscription
            FROM pg_depend d
            JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            JOIN pg_subscription_rel r ON r.srrelid = c.oid
            JOIN pg_subscription s ON s.oid = r.srsubid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = :schema
              AND d.classid = 'pg_class'::regclass AND s.subname !~ '%s'
            """.formatted(Dependencies.OF_MOVES);

    private final Map<Long, Table> tables = new HashMap<>();
    private final Draft draft;
    private final Columns columns;
    private final Sequences sequences;
    private final Inheritance inheritance;

    private Tables(Draft draft, Columns columns, Sequences sequences, Inheritance inheritance) {
        this.draft = draft;
        this.columns = columns;
        this.sequences = sequences;
        this.inheritance = inheritance;
    }

    static Tables read(Snapshot snapshot, Draft draft, Columns columns, Sequences sequences) {
        Tables read = new Tables(draft, columns, sequences, Inheritance.read(snapshot));
        for (CatalogRow row : snapshot.rows(QUERY)) {
            Table table = Table.of(row, snapshot.schema(), columns);
            read.tables.put(table.oid(), table);
        }
        read.tables.values().forEach(read::add);
        return read;
    }

    /** One of the schema's own, by its oid. */
    Optional<Table> table(long oid) {
        return Optional.ofNullable(tables.get(oid));
    }

    /** What must be there before something that a table hands down is made: all below it, as its children. */
    List<PieceKey> descent(long table) {
        List<PieceKey> keys = new ArrayList<>();
        for (long child : inheritance.descendants(table)) {
            draft.piece(PieceKind.TABLE, child).map(Piece::key).ifPresent(keys::add);
            draft.piece(PieceKind.INHERITANCE, child).map(Piece::key).ifPresent(keys::add);
        }
        return keys;
    }

    /** All tables above one, at every level. */
    Set<Long> ancestors(long table) {
        return inheritance.ancestors(table);
    }

    /** Whether the server's note that a child needs its parent does not hold for how we make it. */
    boolean madeApart(long child, long parent) {
        return draft.piece(PieceKind.INHERITANCE, child).isPresent()
                && inheritance.parents(child).stream().anyMatch(it -> it.oid() == parent);
    }

    /** Whether a table is made with INHERITS, so that it gets what its parents have by then. */
    boolean inheritsAtOnce(Table table) {
        return !table.partition()
                && !inheritance.parents(table.oid()).isEmpty()
                && draft.piece(PieceKind.INHERITANCE, table.oid()).isEmpty();
    }

    /** Refuses tables that somebody else's changes come into: they would go on coming to the old place. */
    void refuseSubscribed(Snapshot snapshot) {
        for (CatalogRow row : snapshot.rows(SUBSCRIBED)) {
            draft.refuse(
                    "table " + QualifiedName.of(snapshot.schema(), row.text("name")),
                    "subscription " + row.text("subscription") + " fills it");
        }
    }

    /** What a move has to know, by name. */
    List<TableBlueprint> blueprints() {
        return tables.values().stream()
                .map(Tables::blueprint)
                .sorted(Comparator.comparing(TableBlueprint::name))
                .toList();
    }

    private static TableBlueprint blueprint(Table table) {
        CatalogRow row = table.row();
        ReplicaIdentity identity = table.replicaIdentity().equals("f")
                ? ReplicaIdentity.FULL
                : row.flag("has_key") ? ReplicaIdentity.KEY : ReplicaIdentity.NONE;
        return new TableBlueprint(
                table.name(),
                table.partitioned() ? Kind.PARTITIONED : Kind.PLAIN,
                row.text("persistence").equals("u") ? Persistence.UNLOGGED : Persistence.LOGGED,
                row.number("bytes"),
                identity,
                table.columns().stream()
                        .map(column -> new TableBlueprint.Column(
                                column.name(), column.generated().isPresent() ? Source.GENERATED : Source.STORED))
                        .toList());
    }

    private void add(Table table) {
        Address address = Address.relation(table.oid());
        List<Inheritance.Parent> parents = inheritance.parents(table.oid());
        boolean atOnce = !parents.isEmpty() && !table.partition() && hasLayoutOf(table, parents);
        Piece piece = draft.add(PieceKind.TABLE, address, table.sqlName());
        draft.names(address, "TABLE", table.sqlName());
        draft.makesTypes(
                piece,
                table.sqlName(),
                table.row().number("row_type"),
                table.row().number("array_type"));
        piece.with(create(table, atOnce ? parents : List.of()));
        piece.with("ALTER TABLE " + table.sqlName() + " OWNER TO "
                + SqlName.quoted(table.row().text("owner")));
        if (atOnce) {
            parents.forEach(parent -> piece.requires(new PieceKey(PieceKind.TABLE, parent.oid())));
        } else if (!parents.isEmpty()) {
            addInheritance(table, parents, piece);
        }
        for (Column column : table.columns()) {
            addColumn(table, column, piece, atOnce && !column.local());
        }
        addReplicaIdentity(table, piece);
        addRowSecurity(table, piece);
    }

    /** Whether CREATE TABLE ... INHERITS would lay out the same columns, inherited ones like the parents'. */
    private boolean hasLayoutOf(Table table, List<Inheritance.Parent> parents) {
        Set<String> layout = new LinkedHashSet<>();
        for (Inheritance.Parent parent : parents) {
            Table above = tables.get(parent.oid());
            if (above == null) {
                return false;
            }
            above.columns().forEach(column -> layout.add(column.name()));
        }
        table.columns().stream().filter(Column::local).forEach(column -> layout.add(column.name()));
        return List.copyOf(layout)
                        .equals(table.columns().stream().map(Column::name).toList())
                && table.columns().stream()
                        .allMatch(column -> aboveAll(parents, column).allMatch(above -> isInherited(column, above)))
                && table.columns().stream().noneMatch(column -> isNotNullBeforeParents(column, parents));
    }

    /** Whether what a parent's constraint demands is so already, which itself is not valid and made behind the rows. */
    private boolean isNotNullBeforeParents(Column column, List<Inheritance.Parent> parents) {
        return column.notNull().filter(it -> !it.local()).isPresent() && !isNotNullAbove(column, parents);
    }

    private boolean isNotNullAbove(Column column, List<Inheritance.Parent> parents) {
        return aboveAll(parents, column)
                .anyMatch(above -> above.notNull().filter(NotNull::handedDown).isPresent());
    }

    /** What is not written in the child's definition would be the parent's. */
    private static boolean isInherited(Column column, Column above) {
        boolean sameName = above.notNull().isEmpty()
                || column.notNull().isEmpty()
                || column.notNull()
                        .flatMap(NotNull::name)
                        .equals(above.notNull().flatMap(NotNull::name));
        return sameName && (column.local() || above.generated().equals(column.generated()));
    }

    private Stream<Column> aboveAll(List<Inheritance.Parent> parents, Column column) {
        return parents.stream()
                .map(parent -> tables.get(parent.oid()))
                .filter(Objects::nonNull)
                .flatMap(above -> above.column(column.name()).stream());
    }

    private String create(Table table, List<Inheritance.Parent> parents) {
        CatalogRow row = table.row();
        StringBuilder sql = new StringBuilder("CREATE ")
                .append(row.text("persistence").equals("u") ? "UNLOGGED TABLE " : "TABLE ")
                .append(table.sqlName());
        Optional<String> type = row.optional("of_type");
        List<String> elements = table.columns().stream()
                .filter(column -> parents.isEmpty() || column.local())
                .map(column -> element(table, column, type.isPresent(), !parents.isEmpty()))
                .filter(element -> !element.isEmpty())
                .toList();
        type.ifPresent(it -> sql.append(" OF ").append(it));
        if (type.isEmpty() || !elements.isEmpty()) {
            sql.append(elements.stream().collect(Collectors.joining(",\n    ", " (\n    ", "\n)")));
        }
        if (!parents.isEmpty()) {
            sql.append(parents.stream()
                    .map(Inheritance.Parent::sqlName)
                    .collect(Collectors.joining(", ", " INHERITS (", ")")));
        }
        row.optional("partition_key")
                .ifPresent(key -> sql.append(" PARTITION BY ").append(key));
        row.optional("access_method").ifPresent(method -> sql.append(" USING ").append(SqlName.quoted(method)));
        sql.append(StorageOptions.with(row.texts("options"), row.texts("toast_options")));
        row.optional("tablespace").ifPresent(space -> sql.append(" TABLESPACE ").append(SqlName.quoted(space)));
        return sql.toString();
    }

    private String element(Table table, Column column, boolean typed, boolean inherits) {
        Optional<Sequences.Identity> sequence = sequences.identity(table.oid(), column.number());
        boolean nullable = inherits && column.notNull().filter(NotNull::local).isEmpty();
        Column shown = nullable ? column.withoutNotNull() : column;
        if (!typed) {
            return shown.definition(sequence);
        }
        String properties = shown.properties(sequence);
        return properties.isEmpty() ? "" : shown.sqlName() + " WITH OPTIONS" + properties;
    }

    private void addInheritance(Table table, List<Inheritance.Parent> parents, Piece piece) {
        Piece link =
                draft.add(PieceKind.INHERITANCE, table.oid(), table.sqlName()).requires(piece.key());
        if (!table.partition()) {
            table.columns().stream()
                    .filter(column -> !column.local())
                    .forEach(column -> link.with(inheritedOnly(table, column)));
            setLocal(table, false, it -> true, link);
        } else {
            setLocal(table, false, column -> isNotNullBeforeParents(column, parents), link);
        }
        for (Inheritance.Parent parent : parents) {
            if (tables.containsKey(parent.oid())) {
                link.requires(new PieceKey(PieceKind.TABLE, parent.oid()));
            } else {
                draft.refuse("table " + table.sqlName(), "it inherits from " + parent.sqlName());
            }
            if (parent.detaching()) {
                draft.refuse("table " + table.sqlName(), "it is being detached from " + parent.sqlName());
            }
            link.with(
                    table.partition()
                            ? "ALTER TABLE ONLY " + parent.sqlName() + " ATTACH PARTITION " + table.sqlName() + ' '
                                    + table.bound().orElse("")
                            : "ALTER TABLE ONLY " + table.sqlName() + " INHERIT " + parent.sqlName());
        }
        if (table.partition()) {
            setLocal(table, true, column -> isNotNullAbove(column, parents), link); // ATTACH has made it inherited only
        }
    }

    /**
     * No command makes a column that is only inherited at a place of our choice; pg_upgrade, which must have every
     * column at its place too, does the same.
     */
    private static String inheritedOnly(Table table, Column column) {
        return "UPDATE pg_catalog.pg_attribute SET attislocal = false WHERE attrelid = "
                + SqlName.literal(table.sqlName()).strip() + "::pg_catalog.regclass AND attname = "
                + SqlName.literal(column.name()).strip();
    }

    /** That a column is never null, by the table itself too or not, is nothing a command changes either. */
    private static void setLocal(Table table, boolean local, Predicate<Column> which, Piece link) {
        table.columns().stream()
                .filter(which)
                .flatMap(column -> column.notNull().stream())
                .filter(constraint -> constraint.local() == local)
                .flatMap(constraint -> constraint.name().stream())
                .forEach(name -> link.with("UPDATE pg_catalog.pg_constraint SET conislocal = " + local
                        + " WHERE conrelid = "
                        + SqlName.literal(table.sqlName()).strip()
                        + "::pg_catalog.regclass AND contype = 'n' AND conname = "
                        + SqlName.literal(name).strip()));
    }

    private void addColumn(Table table, Column column, Piece piece, boolean inherited) {
        String alter = "ALTER TABLE ONLY " + table.sqlName() + " ALTER COLUMN " + column.sqlName() + ' ';
        if (inherited) {
            if (column.generated().isEmpty()) {
                piece.with(alter + "DROP DEFAULT");
            }
            if (column.storage().ofType()) {
                piece.with(alter + "SET STORAGE " + column.storage().mode());
            }
            column.notNull()
                    .filter(NotNull::local)
                    .ifPresent(it ->
                            piece.with("ALTER TABLE ONLY " + table.sqlName() + ' ' + it.addition(column.sqlName())));
        }
        ColumnSettings settings = new ColumnSettings(draft, columns, piece);
        settings.add(column, "ALTER TABLE ONLY " + table.sqlName());
        settings.addDefault(table.oid(), column, "ALTER TABLE ONLY " + table.sqlName());
        column.generated().ifPresent(value -> draft.belongs(columns.expression(table.oid(), column), piece));
        sequences.identity(table.oid(), column.number()).ifPresent(sequence -> {
            draft.belongs(Address.relation(sequence.oid()), piece);
            draft.names(Address.relation(sequence.oid()), "SEQUENCE", sequence.sqlName());
            sequence.changes().forEach(change -> piece.with("ALTER SEQUENCE " + sequence.sqlName() + ' ' + change));
        });
    }

    /** An identity by index comes with the index. */
    private void addReplicaIdentity(Table table, Piece piece) {
        if (table.replicaIdentity().equals("f") || table.replicaIdentity().equals("n")) {
            draft.add(PieceKind.REPLICA_IDENTITY, table.oid(), table.sqlName())
                    .with("ALTER TABLE ONLY " + table.sqlName() + " REPLICA IDENTITY "
                            + (table.replicaIdentity().equals("f") ? "FULL" : "NOTHING"))
                    .requires(piece.key());
        }
    }

    private void addRowSecurity(Table table, Piece piece) {
        String alter = "ALTER TABLE " + table.sqlName();
        if (table.row().flag("row_security")) {
            draft.add(PieceKind.ROW_SECURITY, table.oid(), table.sqlName())
                    .with(alter + " ENABLE ROW LEVEL SECURITY")
                    .requires(piece.key());
        }
        if (table.row().flag("forced_row_security")) {
            draft.add(PieceKind.FORCED_ROW_SECURITY, table.oid(), table.sqlName())
                    .with(alter + " FORCE ROW LEVEL SECURITY")
                    .requires(piece.key());
        }
    }
}
