package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Some pages of a table, to be copied by themselves.
 *
 * @param table its name
 * @param columns those that hold values
 * @param binary whether rows go in COPY's binary format, else as text
 * @param firstPage the first one
 * @param endPage the first one that is not of this part; {@link #END} if all that follow are
 * @param bytes about how many there are
 */
record TablePart(String table, List<String> columns, boolean binary, long firstPage, long endPage, long bytes) {

    static final long END = -1;

    /** Divides a table, so that several connections can copy it and none has much to do anew. */
    static List<TablePart> of(String table, List<String> columns, boolean binary, TableSize size, long partBytes) {
        long count = Math.clamp(Math.ceilDiv(size.bytes(), partBytes), 1, Math.max(1, size.pages()));
        List<TablePart> parts = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            long end = i == count - 1 ? END : size.pages() * (i + 1) / count;
            parts.add(new TablePart(table, columns, binary, size.pages() * i / count, end, size.bytes() / count));
        }
        return parts;
    }

    /** All of a table, as text. */
    static TablePart whole(String table, List<String> columns) {
        return new TablePart(table, columns, false, 0, END, 0);
    }

    /** Whether it is all of the table, for which the server plans nothing. */
    boolean isWhole() {
        return firstPage == 0 && endPage == END;
    }

    /** The rows in a form that means the same on servers of all versions. */
    String copyTo(String schema) {
        String name = Source.qualified(schema, table);
        return isWhole()
                ? "COPY " + name + list() + " TO STDOUT" + format()
                : "COPY (SELECT " + names() + " FROM ONLY " + name + " WHERE ctid >= '(" + firstPage + ",0)'::tid"
                        + (endPage == END ? "" : " AND ctid < '(" + endPage + ",0)'::tid") + ") TO STDOUT" + format();
    }

    String copyFrom(String schema) {
        return "COPY " + Source.qualified(schema, table) + list() + " FROM STDIN" + format();
    }

    private String format() {
        return binary ? " (FORMAT binary)" : "";
    }

    private String list() {
        return columns.isEmpty() ? "" : " (" + names() + ")";
    }

    private String names() {
        return columns.stream().map(SqlName::quoted).collect(Collectors.joining(", "));
    }
}
