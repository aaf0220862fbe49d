package dev.tenantry.proxy.answer;

import dev.tenantry.activity.SessionActivity;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The columns of what the proxy shows of its own activity. Moments are text, in UTC and in PostgreSQL's ISO style. */
public final class ActivityColumns {
    private static final DateTimeFormatter MOMENT =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS'+00'").withZone(ZoneOffset.UTC);

    /** SHOW tenantry.sessions. */
    public static final List<Column<SessionActivity>> SESSIONS = List.of(
            Column.number("session_id", SessionActivity::sessionId),
            Column.text("client_addr", SessionActivity::clientAddr),
            Column.number("client_port", row -> (long) row.clientPort()),
            Column.text("role", SessionActivity::role),
            Column.text("application_name", SessionActivity::applicationName),
            Column.text("schema", SessionActivity::schema),
            Column.text("node", SessionActivity::node),
            Column.text("state", SessionActivity::state),
            Column.text("state_since", row -> moment(row.stateSince())),
            Column.text("session_start", row -> moment(row.sessionStart())),
            Column.text("xact_start", row -> moment(row.xactStart())));

    private ActivityColumns() {}

    private static @Nullable String moment(@Nullable Instant moment) {
        return moment == null ? null : MOMENT.format(moment);
    }
}
