package dev.tenantry.proxy.answer;

import dev.tenantry.activity.BackendActivity;
import dev.tenantry.activity.PinActivity;
import dev.tenantry.activity.PoolActivity;
import dev.tenantry.activity.SessionActivity;
import dev.tenantry.activity.TransactionActivity;
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
            Column.text("xact_start", row -> moment(row.xactStart())),
            Column.text("pin_reasons", row -> listed(row.pinReasons())));

    /** SHOW tenantry.backends. */
    public static final List<Column<BackendActivity>> BACKENDS = List.of(
            Column.text("node", BackendActivity::node),
            Column.text("role", BackendActivity::role),
            Column.number("pid", row -> (long) row.pid()),
            Column.number("session_id", BackendActivity::sessionId),
            Column.text("state", BackendActivity::state),
            Column.text("opened_at", row -> moment(row.openedAt())),
            Column.number("age_ms", BackendActivity::ageMs),
            Column.text("kept_for", BackendActivity::keptFor));

    /** SHOW tenantry.pools. */
    public static final List<Column<PoolActivity>> POOLS = List.of(
            Column.text("node", PoolActivity::node),
            Column.text("role", PoolActivity::role),
            Column.text("parameters", PoolActivity::parameters),
            Column.number("size", PoolActivity::size),
            Column.number("used", PoolActivity::used),
            Column.number("idle", PoolActivity::idle),
            Column.number("waiting", PoolActivity::waiting),
            Column.number("longest_wait_ms", PoolActivity::longestWaitMs),
            Column.number("node_size_max", PoolActivity::nodeSizeMax));

    /** SHOW tenantry.pins. */
    public static final List<Column<PinActivity>> PINS = List.of(
            Column.number("session_id", PinActivity::sessionId),
            Column.text("role", PinActivity::role),
            Column.text("node", PinActivity::node),
            Column.number("pid", row -> (long) row.pid()),
            Column.text("reason", PinActivity::reason),
            Column.text("since", row -> moment(row.since())));

    /** SHOW tenantry.transactions. */
    public static final List<Column<TransactionActivity>> TRANSACTIONS = List.of(
            Column.number("session_id", TransactionActivity::sessionId),
            Column.text("role", TransactionActivity::role),
            Column.text("state", TransactionActivity::state),
            Column.text("nodes", row -> listed(row.nodes())),
            Column.bool("distributed", TransactionActivity::distributed),
            Column.text("xact_start", row -> moment(row.xactStart())),
            Column.number("age_ms", TransactionActivity::ageMs));

    private ActivityColumns() {}

    private static @Nullable String moment(@Nullable Instant moment) {
        return moment == null ? null : MOMENT.format(moment);
    }

    private static @Nullable String listed(List<String> several) {
        return several.isEmpty() ? null : String.join(", ", several);
    }
}
