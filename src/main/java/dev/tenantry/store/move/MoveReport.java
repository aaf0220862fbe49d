package dev.tenantry.store.move;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code tenantry_moves} as programs read it: fields are its columns, the time that is left in seconds.
 *
 * @param bytesCopied how many bytes of tables are on the target, without indexes
 * @param bytesTotal how many there will be
 * @param lagBytes how much of the source's log the target has still to apply
 * @param etaSeconds how long the copy, or catching up, will take at the pace of late
 * @param waitingFor sessions of the source, by pid
 */
public record MoveReport(
        long moveid,
        String schemaName,
        @Nullable String source,
        @Nullable String target,
        String transferMode,
        String phase,
        @Nullable Long bytesCopied,
        @Nullable Long bytesTotal,
        @Nullable Integer tablesCopied,
        @Nullable Integer tablesTotal,
        @Nullable Long lagBytes,
        @Nullable Double etaSeconds,
        int attempt,
        int cutovers,
        @Nullable Double stallMs,
        List<Integer> waitingFor,
        @Nullable String error,
        @Nullable String sqlstate,
        @Nullable String errorDetail,
        @Nullable String errorHint,
        Instant requestedAt,
        @Nullable Instant switchedAt,
        @Nullable Instant finishedAt,
        @Nullable String oldSchema,
        @Nullable Instant dropAfter) {

    static final String COLUMNS = """
            moveid, schema_name::text, source, target, transfer_mode, phase, bytes_copied, bytes_total, tables_copied,
            tables_total, lag_bytes, extract(epoch FROM eta)::float8 AS eta_seconds, attempt, cutovers, stall_ms,
            waiting_for, error, sqlstate, error_detail, error_hint, requested_at, switched_at, finished_at,
            old_schema::text, drop_after
            """;

    /** Reads what {@link #COLUMNS} selects. */
    static MoveReport of(Row row) {
        return new MoveReport(
                row.getLong("moveid"),
                row.getString("schema_name"),
                row.getString("source"),
                row.getString("target"),
                row.getString("transfer_mode"),
                row.getString("phase"),
                row.getLong("bytes_copied"),
                row.getLong("bytes_total"),
                row.getInteger("tables_copied"),
                row.getInteger("tables_total"),
                row.getLong("lag_bytes"),
                row.getDouble("eta_seconds"),
                row.getInteger("attempt"),
                row.getInteger("cutovers"),
                row.getDouble("stall_ms"),
                List.of(row.getArrayOfIntegers("waiting_for")),
                row.getString("error"),
                row.getString("sqlstate"),
                row.getString("error_detail"),
                row.getString("error_hint"),
                row.getOffsetDateTime("requested_at").toInstant(),
                instant(row, "switched_at"),
                instant(row, "finished_at"),
                row.getString("old_schema"),
                instant(row, "drop_after"));
    }

    private static @Nullable Instant instant(Row row, String column) {
        OffsetDateTime time = row.getOffsetDateTime(column);
        return time == null ? null : time.toInstant();
    }

    /** Whether nothing more will be done for it, but for dropping an old copy. */
    public boolean hasEnded() {
        return finishedAt != null;
    }
}
