package dev.tenantry.blueprint;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One row of a query on the catalogs; columns by name. */
record CatalogRow(Map<String, @Nullable Object> columns) {

    /** Text that can't be NULL. */
    String text(String column) {
        return optional(column)
                .orElseThrow(() -> new DefinitionChangedException(
                        "the definition of the schema changed while it was read: " + column + " is gone"));
    }

    /** Text, if there is some. */
    Optional<String> optional(String column) {
        return Optional.ofNullable(value(column)).map(Object::toString);
    }

    long number(String column) {
        Object value = value(column);
        if (value instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("no number in " + column);
    }

    /** True or not; NULL is not. */
    boolean flag(String column) {
        return Boolean.TRUE.equals(value(column));
    }

    /** The elements of an array; none for NULL. */
    List<String> texts(String column) {
        Object value = value(column);
        return value instanceof String[] elements ? List.of(elements) : List.of();
    }

    private @Nullable Object value(String column) {
        if (!columns.containsKey(column)) {
            throw new IllegalStateException("no column " + column + " in " + columns.keySet());
        }
        return columns.get(column);
    }
}
