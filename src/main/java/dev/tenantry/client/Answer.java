package dev.tenantry.client;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server says to one statement.
 *
 * @param tag the tag of its command, or the SQLSTATE of its error
 * @param failed whether it is an error
 * @param rows the rows, as text
 * @param message the error's text with its detail and hint, in one line; not compared
 */
public record Answer(String tag, boolean failed, List<List<@Nullable String>> rows, String message) {

    /** Done, without rows. */
    public static Answer of(String tag) {
        return new Answer(tag, false, List.of(), "");
    }

    /** One row. */
    public static Answer row(String tag, @Nullable String... values) {
        List<@Nullable String> row = new ArrayList<>(List.of());
        for (String value : values) {
            row.add(value);
        }
        return new Answer(tag, false, List.of(row), "");
    }

    /** An error of that SQLSTATE. */
    public static Answer error(String sqlState) {
        return new Answer(sqlState, true, List.of(), "");
    }

    /** Whether the server, or the way to it, was lost. */
    public boolean isLoss() {
        return failed && (tag.startsWith("08") || tag.startsWith("57P"));
    }

    /** Whether there was no room for it, so that nothing has happened. */
    public boolean isCrowded() {
        return failed && tag.startsWith("53");
    }

    /** Whether a client could not tell the two apart. */
    public boolean isSameAs(Answer other) {
        return tag.equals(other.tag) && failed == other.failed && rows.equals(other.rows);
    }

    @Override
    public String toString() {
        return (failed ? "ERROR " : "")
                + tag
                + (rows.isEmpty() ? "" : " " + rows)
                + (message.isEmpty() ? "" : " (" + message + ")");
    }
}
