package dev.tenantry.sql;

import java.util.List;

/**
 * What a catalog query compares with columns that hold names of schemas, such as {@code nspname} and
 * {@code table_schema}: if these are names of schemas, they are meant as such.
 *
 * @param names candidates of the literals
 * @param parameters numbers of the parameters
 */
public record ComparedSchemas(List<String> names, List<Integer> parameters) {
    /** Nothing is compared with such a column. */
    public static final ComparedSchemas NONE = new ComparedSchemas(List.of(), List.of());
}
