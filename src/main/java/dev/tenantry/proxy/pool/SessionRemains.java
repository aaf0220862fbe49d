package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.sql.SqlName;
import dev.tenantry.sql.StatementFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Asks a node what of a session is on a connection that could not be had again on another one: "Discarding Session
 * State" under DISCARD ALL names what there is. Names are qualified, because the search_path is the client's.
 */
final class SessionRemains {
    /**
     * Whether a server process has a schema for temporary objects, which it keeps to its end once it has had any: from
     * then on {@link #query} can't tell whether there are some.
     */
    static final String TEMPORARY_SCHEMA = "SELECT pg_catalog.pg_my_temp_schema()";

    /** Decides where statements go, so that a function that has changed it must not go unseen. */
    private static final String SEARCH_PATH = "search_path";

    /** Whose rights the session has, which pg_settings does not tell. */
    private static final String ROLE = "role";

    private static final String AUTHORIZATION = "session_authorization";

    private SessionRemains() {}

    /** What the answer to {@link #TEMPORARY_SCHEMA} says; no answer says that there is none. */
    static boolean hasTemporarySchema(CallResult result) {
        return result.rows().stream().anyMatch(row -> !"0".equals(row.getFirst()));
    }

    /** A query of one row and column: what there is, by commas, or nothing. {@code user} is who has signed in. */
    static String query(
            BackendConnection backend,
            String user,
            Map<String, Optional<String>> knownSettings,
            Set<String> settingsOfRoutines) {
        String known = knownSettings.isEmpty()
                ? ""
                : knownSettings.keySet().stream()
                        .map(SqlName::literal)
                        .collect(Collectors.joining(", ", " AND pg_catalog.lower(name) NOT IN (", ")"));
        return "SELECT pg_catalog.concat_ws(',',"
                + " CASE WHEN pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0 THEN '"
                + PinReason.TEMPORARY_OBJECTS.text() + "' END,"
                + exists(
                        "pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory'"
                                + " AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()",
                        PinReason.ADVISORY_LOCKS)
                + ", " + exists("pg_catalog.pg_listening_channels()", PinReason.LISTEN)
                + ", " + exists("pg_catalog.pg_cursors WHERE is_holdable", PinReason.CURSORS)
                + ", CASE WHEN (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements)"
                + " OPERATOR(pg_catalog.>) " + backend.prepared().size() + " THEN '"
                + PinReason.PREPARED_STATEMENTS.text() + "' END"
                + ", "
                + exists(
                        "pg_catalog.pg_settings WHERE source OPERATOR(pg_catalog.=) 'session'" + known,
                        PinReason.SETTINGS)
                + unread(backend.unread().names(), user, knownSettings, settingsOfRoutines)
                + ")";
    }

    /** Settings that pg_settings does not tell, having a prefix, or that it tells also where nothing has changed. */
    private static String unread(
            Set<String> unread, String user, Map<String, Optional<String>> known, Set<String> ofRoutines) {
        Set<String> asked = new TreeSet<>(unread);
        asked.addAll(ofRoutines);
        asked.add(SEARCH_PATH);
        known.keySet().stream().filter(SessionRemains::hasPrefix).forEach(asked::add);
        List<String> changed = new ArrayList<>();
        for (String name : asked) {
            Optional<String> expected = known.getOrDefault(name, Optional.empty());
            String current = "COALESCE(pg_catalog.current_setting(" + SqlName.literal(name) + ", true), '')";
            if (expected.isPresent()) {
                changed.add(current + " OPERATOR(pg_catalog.<>) " + SqlName.literal(expected.get()));
            } else if (name.equals(StatementFacts.Traces.ANY_SETTING) || known.containsKey(name)) {
                changed.add("true");
            } else if (name.equals(ROLE)) {
                changed.add(current + " OPERATOR(pg_catalog.<>) 'none'");
            } else if (name.equals(AUTHORIZATION)) {
                changed.add(current + " OPERATOR(pg_catalog.<>) " + SqlName.literal(user));
            } else if (hasPrefix(name)) {
                changed.add(isOwn(SqlName.literal(name), current));
            }
        }
        return changed.isEmpty()
                ? ""
                : ", CASE WHEN " + String.join(" OR ", changed) + " THEN '" + PinReason.SETTINGS.text() + "' END";
    }

    /** Whether a setting has a value that is not one that the server or a role gives to every session. */
    private static String isOwn(String name, String current) {
        return current + " OPERATOR(pg_catalog.<>) '' AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings"
                + " WHERE pg_catalog.lower(name) OPERATOR(pg_catalog.=) " + name + ") AND NOT EXISTS (SELECT FROM"
                + " pg_catalog.pg_db_role_setting WHERE pg_catalog.concat(" + name + ", '=', " + current
                + ") OPERATOR(pg_catalog.=) ANY (setconfig))";
    }

    private static boolean hasPrefix(String name) {
        return name.indexOf('.') >= 0;
    }

    /** What the answer to {@link #query} says; what can't be asked about is taken for something. */
    static List<PinReason> reasons(CallResult result) {
        String answer = result.isSuccess() ? result.rows().getFirst().getFirst() : null;
        List<PinReason> listed = answer == null ? List.of() : PinReason.listed(answer);
        boolean understood = answer != null && (answer.isEmpty() || !listed.isEmpty());
        return understood ? listed : List.of(PinReason.UNKNOWN);
    }

    private static String exists(String from, PinReason reason) {
        return "CASE WHEN EXISTS (SELECT FROM " + from + ") THEN '" + reason.text() + "' END";
    }
}
