package dev.tenantry.proxy.answer;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A column of rows that are made of some type of thing.
 *
 * @param name its name
 * @param type of its values
 * @param value a thing's value: a {@code String}, {@code Long} or {@code Boolean} by the type, or null
 */
public record Column<T>(String name, Type type, Function<T, @Nullable Object> value) {

    /** Types whose text and binary forms are easy to write: the object id and length of each as in {@code pg_type}. */
    public enum Type {
        TEXT(25, -1),
        INT8(20, 8),
        BOOL(16, 1);

        private final int oid;
        private final int length;

        Type(int oid, int length) {
            this.oid = oid;
            this.length = length;
        }

        int oid() {
            return oid;
        }

        int length() {
            return length;
        }
    }

    static <T> Column<T> text(String name, Function<T, @Nullable Object> value) {
        return new Column<>(name, Type.TEXT, value);
    }

    static <T> Column<T> number(String name, Function<T, @Nullable Object> value) {
        return new Column<>(name, Type.INT8, value);
    }

    static <T> Column<T> bool(String name, Function<T, @Nullable Object> value) {
        return new Column<>(name, Type.BOOL, value);
    }
}
