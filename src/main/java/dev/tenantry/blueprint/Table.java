package dev.tenantry.blueprint;

import java.util.List;
import java.util.Optional;

/** One table, as the catalogs have it. */
record Table(
        long oid,
        String name,
        String sqlName,
        boolean partitioned,
        boolean partition,
        String replicaIdentity,
        Optional<String> bound,
        List<Column> columns,
        CatalogRow row) {

    static Table of(CatalogRow row, String schema, Columns columns) {
        long oid = row.number("oid");
        String name = row.text("name");
        return new Table(
                oid,
                name,
                QualifiedName.of(schema, name),
                row.text("kind").equals("p"),
                row.flag("partition"),
                row.text("replica_identity"),
                row.optional("bound"),
                columns.of(oid),
                row);
    }

    Optional<Column> column(String columnName) {
        return columns.stream()
                .filter(column -> column.name().equals(columnName))
                .findFirst();
    }
}
