package dev.tenantry.control.api;

import dev.tenantry.store.ClusterViews.Rows;
import jakarta.ws.rs.WebApplicationException;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Some of the rows.
 *
 * @param total how many rows there are
 * @param limit how many of them were asked for at most
 * @param offset how many of them were left out before
 * @param items the rows, in the view's order
 */
public record Page<T>(long total, int limit, int offset, List<T> items) {

    static final String LIMIT_DEFAULT = "100";
    static final int LIMIT_MAX = 1_000;

    /** Reads a page whose bounds came as text. */
    static <T> Page<T> read(
            @Nullable String limit, @Nullable String offset, BiFunction<Integer, Integer, Rows<T>> rows) {
        int most = number("limit", limit == null ? LIMIT_DEFAULT : limit, 1, LIMIT_MAX);
        int before = number("offset", offset == null ? "0" : offset, 0, Integer.MAX_VALUE);
        Rows<T> found = rows.apply(most, before);
        return new Page<>(found.total(), most, before, found.items());
    }

    private static int number(String name, String text, int min, int max) {
        WebApplicationException wrong = Problem.badParameter(
                "Parameter \"" + name + "\" must be a whole number from " + min + " to " + max + ".");
        if (!text.matches("[0-9]{1,10}")) {
            throw wrong;
        }
        long value = Long.parseLong(text);
        if (value < min || value > max) {
            throw wrong;
        }
        return (int) value;
    }
}
