package dev.tenantry.store;

import dev.tenantry.catalog.LoginRole;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Reads roles as the proxies need them. Settings come by PostgreSQL's precedence: of the role in this database, of the
 * role, of the database, of all (manual, "ALTER ROLE", and process_settings() which applies them in that order).
 */
final class RoleReader {

    /**
     * Changes when a role, a membership or a setting does, also when somebody changes them without a proxy; reads no
     * passwords and compares nothing but row versions, so it is cheap enough to be asked every few seconds.
     */
    static final String FINGERPRINT = """
            SELECT concat_ws(' ',
              (SELECT concat(count(*), '/', coalesce(sum(hashtextextended(concat(oid, ':', xmin), 0)::numeric), 0))
                 FROM pg_catalog.pg_authid),
              (SELECT concat(count(*), '/',
                             coalesce(sum(hashtextextended(concat(roleid, ':', member, ':', xmin), 0)::numeric), 0))
                 FROM pg_catalog.pg_auth_members),
              (SELECT concat(count(*), '/',
                             coalesce(sum(hashtextextended(
                               concat(setdatabase, ':', setrole, ':', xmin), 0)::numeric), 0))
                 FROM pg_catalog.pg_db_role_setting))
            """;

    /** Those that a move signs in as are no client's. */
    private static final String ROLES = """
            SELECT r.oid::bigint, r.rolname::text, r.rolcanlogin, r.rolsuper,
                   pg_catalog.pg_has_role(r.oid, 'pg_monitor', 'USAGE'), r.rolpassword,
                   CASE WHEN isfinite(r.rolvaliduntil)
                        THEN extract(epoch FROM r.rolvaliduntil)::float8 END,
                   coalesce(r.rolvaliduntil = '-infinity', false)
            FROM pg_catalog.pg_authid r
            WHERE r.rolname !~ '^tenantry_[0-9a-z]+_move_[0-9]+_owner_'
            """;

    /** Weakest first. */
    private static final String SETTINGS = """
            SELECT s.setrole::bigint, s.setconfig
            FROM pg_catalog.pg_db_role_setting s
            WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
            ORDER BY s.setrole <> 0, s.setdatabase <> 0
            """;

    private static final long EVERY_ROLE = 0;

    private RoleReader() {}

    /** Every role by name. */
    static Map<String, LoginRole> read(ServerConnection connection) {
        RowSet<Row> roles = connection.query(ROLES);
        Map<String, String> ofEveryRole = new LinkedHashMap<>();
        Map<Long, Map<String, String>> ofRole = new HashMap<>();
        for (Row row : connection.query(SETTINGS)) {
            long role = row.getLong(0);
            Map<String, String> target =
                    role == EVERY_ROLE ? ofEveryRole : ofRole.computeIfAbsent(role, oid -> new LinkedHashMap<>());
            for (String setting : row.getArrayOfStrings(1)) {
                int equals = setting.indexOf('=');
                target.put(setting.substring(0, equals).toLowerCase(Locale.ROOT), setting.substring(equals + 1));
            }
        }
        Map<String, String> shared = Map.copyOf(ofEveryRole);
        Map<String, LoginRole> found = HashMap.newHashMap(roles.size());
        for (Row row : roles) {
            Map<String, String> own = ofRole.get(row.getLong(0));
            found.put(row.getString(1), role(row, own == null ? shared : merged(shared, own)));
        }
        return found;
    }

    private static Map<String, String> merged(Map<String, String> weaker, Map<String, String> stronger) {
        Map<String, String> all = new HashMap<>(weaker);
        all.putAll(stronger);
        return Map.copyOf(all);
    }

    private static LoginRole role(Row row, Map<String, String> settings) {
        boolean superuser = row.getBoolean(3);
        return new LoginRole(
                row.getString(1),
                row.getBoolean(2),
                superuser,
                row.getBoolean(4),
                Optional.ofNullable(row.getString(5)),
                validUntil(row),
                settings);
    }

    private static Optional<Instant> validUntil(Row row) {
        if (row.getBoolean(7)) {
            return Optional.of(Instant.EPOCH);
        }
        return Optional.ofNullable(row.getDouble(6)).map(seconds -> Instant.ofEpochMilli(Math.round(seconds * 1000)));
    }
}
