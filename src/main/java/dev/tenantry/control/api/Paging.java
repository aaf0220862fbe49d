package dev.tenantry.control.api;

import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.WebApplicationException;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/** Which page of the rows a request asks for. Numbers come as text, so that a wrong one gets an answer of ours. */
public class Paging {

    private static final int LIMIT_DEFAULT = 100;
    private static final int LIMIT_MAX = 1_000;

    /** How many rows. */
    @Parameter(
            description = "How many rows at most, 1 to 1000; 100 if not given",
            schema = @Schema(type = SchemaType.INTEGER))
    @QueryParam("limit")
    public @Nullable String limit;

    /** How many not. */
    @Parameter(description = "How many rows to leave out before", schema = @Schema(type = SchemaType.INTEGER))
    @QueryParam("offset")
    public @Nullable String offset;

    int limit() {
        return number("limit", limit, LIMIT_DEFAULT, 1, LIMIT_MAX);
    }

    int offset() {
        return number("offset", offset, 0, 0, Integer.MAX_VALUE);
    }

    /** The page that was asked for, of all these rows. */
    <T> Page<T> page(List<T> all) {
        return page(all.size(), all.stream().skip(offset()).limit(limit()).toList());
    }

    /** The page that was asked for, with its rows. */
    <T> Page<T> page(long total, List<T> items) {
        return new Page<>(total, limit(), offset(), items);
    }

    private static int number(String name, @Nullable String text, int fallback, int min, int max) {
        if (text == null) {
            return fallback;
        }
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
