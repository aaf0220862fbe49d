package dev.tenantry.command;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A row of {@code tenantry_moves} as it is shown. */
record MoveState(
        long id,
        String schema,
        String source,
        String target,
        String phase,
        long copied,
        long total,
        long lag,
        double left,
        String waitsFor,
        String error,
        double seconds,
        double stallMillis,
        boolean ended) {

    /** What {@link #of} reads; that clean-up is held up by a lost node is no reason to wait for it. */
    static final String COLUMNS = """
            moveid, schema_name, coalesce(source, ''), coalesce(target, ''), phase, coalesce(bytes_copied, 0),
            coalesce(bytes_total, 0), coalesce(lag_bytes, 0), coalesce(extract(epoch FROM eta), -1),
            array_to_string(waiting_for, ', '),
            concat(error, ': ' || error_detail, ' (' || error_hint || ')'),
            extract(epoch FROM coalesce(switched_at, finished_at, clock_timestamp()) - requested_at),
            coalesce(stall_ms, 0),
            finished_at IS NOT NULL OR coalesce(switched_at < clock_timestamp() - interval '10 s', false)
            """;

    static MoveState of(List<@Nullable String> row) {
        List<String> values = new ArrayList<>();
        row.forEach(value -> values.add(value == null ? "" : value));
        return new MoveState(
                Long.parseLong(values.get(0)),
                values.get(1),
                values.get(2),
                values.get(3),
                values.get(4),
                Long.parseLong(values.get(5)),
                Long.parseLong(values.get(6)),
                Long.parseLong(values.get(7)),
                Double.parseDouble(values.get(8)),
                values.get(9),
                values.get(10),
                Double.parseDouble(values.get(11)),
                Double.parseDouble(values.get(12)),
                values.get(13).equals("t"));
    }

    boolean isOnTarget() {
        return phase.equals("switched") || phase.equals("done");
    }

    int percent() {
        return isOnTarget() ? 100 : Figures.percent(copied, total);
    }

    /** What goes on, in a few words. */
    String situation() {
        StringBuilder words = new StringBuilder(phase.replace('_', ' '));
        if (phase.equals("copying")) {
            words.append(' ').append(Figures.size(copied)).append(" of ").append(Figures.size(total));
        } else if (lag > 0 && !isOnTarget()) {
            words.append(", ").append(Figures.size(lag)).append(" behind");
        }
        if (left >= 0) {
            words.append(", ").append(Figures.seconds(left)).append(" left");
        }
        if (!waitsFor.isEmpty()) {
            words.append(", waits for sessions ")
                    .append(waitsFor)
                    .append(" of ")
                    .append(source);
        } else if (!error.isEmpty() && !ended) {
            words.append(", ").append(error);
        }
        return words.toString();
    }

    /** A line for a terminal. */
    String line() {
        return schema + " " + Figures.bar(percent()) + " " + percent() + " % " + situation();
    }

    /** A line for a pipe; the same one until something has changed that is worth another. */
    String milestone() {
        String what = "move " + id + " of schema " + schema + ": " + phase.replace('_', ' ');
        if (phase.equals("copying")) {
            what += " " + percent() / 10 * 10 + " %";
        }
        return waitsFor.isEmpty() ? what : what + ", waits for sessions " + waitsFor + " of " + source;
    }
}
