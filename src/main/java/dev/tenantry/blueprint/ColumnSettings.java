package dev.tenantry.blueprint;

/** Adds what is set for columns after their relation is made. */
record ColumnSettings(Draft draft, Columns columns, Piece relation) {

    /**
     * Storage, compression and what the planner is told.
     *
     * @param alter the statement's beginning, up to the relation's name
     */
    void add(Column column, String alter) {
        String start = alter + " ALTER COLUMN " + column.sqlName() + ' ';
        if (!column.storage().ofType()) {
            relation.with(start + "SET STORAGE " + column.storage().mode());
        }
        column.compression().ifPresent(method -> relation.with(start + "SET COMPRESSION " + method));
        column.statistics().ifPresent(target -> relation.with(start + "SET STATISTICS " + target));
        if (!column.options().isEmpty()) {
            relation.with(start + "SET (" + StorageOptions.list(column.options()) + ")");
        }
    }

    /** A default is a piece of its own: it may call what needs the relation. */
    void addDefault(long oid, Column column, String alter) {
        column.defaultValue()
                .ifPresent(value -> draft.add(
                                PieceKind.DEFAULT,
                                columns.expression(oid, column),
                                relation.name() + '.' + column.sqlName())
                        .with(alter + " ALTER COLUMN " + column.sqlName() + " SET DEFAULT " + value)
                        .requires(relation.key()));
    }
}
