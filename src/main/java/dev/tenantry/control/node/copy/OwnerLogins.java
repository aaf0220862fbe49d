package dev.tenantry.control.node.copy;

import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.CopyConnection;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jboss.logging.Logger;

/**
 * Roles on a node of a move that have what the owners of tables have and nothing else, to sign in as while their rows
 * are read or written: what these tables call can't become anybody else then, as it could where a superuser has only
 * taken another role. They are called by the number of the move, and so can be removed by whoever knows that. Their
 * passwords are kept nowhere.
 */
final class OwnerLogins {

    private static final Logger LOG = Logger.getLogger(OwnerLogins.class);
    private static final String DEPENDENTS = "2BP01";

    /** For signing in, which may be when the last rows are copied, by the clock of the server. */
    private static final String VALID_UNTIL = "SELECT (now() + interval '100 days')::text";

    /** A session that was ended may take a moment. */
    private static final int SESSIONS_SPARE = 4;

    private static final String FOUND =
            "SELECT rolname::text FROM pg_roles WHERE starts_with(rolname::text, $1) ORDER BY rolname";

    private static final String CONNECT = """
            SELECT format('CONNECT ON DATABASE %I', current_database())
            WHERE NOT has_database_privilege($1, current_database(), 'CONNECT')
            """;

    /** What writing the rows takes, and the owner of the tables does not have any more. */
    private static final String WRITE = CONNECT + """
            UNION ALL SELECT format('USAGE ON SCHEMA %I', $2::text) WHERE NOT has_schema_privilege($1, $2, 'USAGE')
            UNION ALL SELECT format('INSERT ON %I.%I', $2::text, c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $2 AND c.relname = ANY ($3) AND NOT has_table_privilege($1, c.oid, 'INSERT')
            UNION ALL SELECT 'EXECUTE ON ROUTINE ' || f::regprocedure FROM unnest($4::text[]) f
            WHERE NOT has_function_privilege($1, f::regprocedure, 'EXECUTE')
            """;

    private static final int SCRAM_ITERATIONS = 4096;
    private static final int PASSWORD_BYTES = 24;
    private static final int SALT_BYTES = 16;

    private final ServerConnection connection;
    private final MoveNames names;

    OwnerLogins(ServerConnection connection, MoveNames names) {
        this.connection = connection;
        this.names = names;
    }

    /**
     * Makes one for each owner to write rows as, in place of those that there are.
     *
     * @param owners by table
     * @param calls functions that the rows of tables call, by owner
     * @param sessions how many there may be of each at a time
     * @return how to sign in, by table
     */
    Map<String, CoordinatorAddress> makeWriters(
            String schema, Map<String, String> owners, Map<String, List<String>> calls, int sessions) {
        return make(
                owners,
                sessions,
                (owner, tables) -> texts(
                        WRITE,
                        owner,
                        schema,
                        tables.toArray(new String[0]),
                        calls.getOrDefault(owner, List.of()).toArray(new String[0])));
    }

    /** The same to read rows, which the owners may. */
    Map<String, CoordinatorAddress> makeReaders(Map<String, String> owners, int sessions) {
        return make(owners, sessions, (owner, tables) -> texts(CONNECT, owner));
    }

    /** What an owner is to be granted. */
    private interface Lacking {
        List<String> of(String owner, List<String> tables);
    }

    private Map<String, CoordinatorAddress> make(Map<String, String> owners, int sessions, Lacking lacking) {
        drop();
        List<String> left = texts(FOUND, names.logins());
        Map<String, List<String>> tables = new TreeMap<>();
        owners.forEach((table, owner) ->
                tables.computeIfAbsent(owner, first -> new ArrayList<>()).add(table));
        Map<String, CoordinatorAddress> addresses = new LinkedHashMap<>();
        int number = 0;
        for (Map.Entry<String, List<String>> owned : tables.entrySet()) {
            do {
                number++;
            } while (left.contains(names.login(number)));
            String owner = owned.getKey();
            CoordinatorAddress login = make(names.login(number), owner, sessions, lacking.of(owner, owned.getValue()));
            owned.getValue().forEach(table -> addresses.put(table, login));
        }
        return addresses;
    }

    private List<String> texts(String query, Object... parameters) {
        List<String> found = new ArrayList<>();
        connection.query(query, parameters).forEach(row -> found.add(row.getString(0)));
        return found;
    }

    private CoordinatorAddress make(String name, String owner, int sessions, List<String> grants) {
        SecureRandom random = new SecureRandom();
        byte[] secret = new byte[PASSWORD_BYTES];
        byte[] salt = new byte[SALT_BYTES];
        random.nextBytes(secret);
        random.nextBytes(salt);
        String password = HexFormat.of().formatHex(secret);
        String verifier = ScramVerifier.of(password, SCRAM_ITERATIONS, salt).toString();
        String role = SqlName.quoted(name);
        StringBuilder sql = new StringBuilder("CREATE ROLE " + role + " LOGIN INHERIT NOSUPERUSER NOCREATEDB"
                + " NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD " + SqlName.literal(verifier) + " VALID UNTIL "
                + SqlName.literal(texts(VALID_UNTIL).getFirst()) + " CONNECTION LIMIT " + (sessions + SESSIONS_SPARE)
                + "; GRANT " + SqlName.quoted(owner) + " TO " + role);
        grants.forEach(
                grant -> sql.append("; GRANT ").append(grant).append(" TO ").append(role));
        connection.query(sql.toString()); // as one transaction
        return connection.address().as(name, password);
    }

    /**
     * Signs in as one of them. Whatever ends that connection later may be the doing of what it calls.
     *
     * @throws SignInRefusedException if the server does not let it in
     */
    static CopyConnection open(CoordinatorAddress login, String applicationName) {
        try {
            return CopyConnection.openUntrusted(login, applicationName);
        } catch (StatementRefusedException refused) {
            throw refused.sqlState().startsWith(SqlStates.INVALID_AUTHORIZATION)
                    ? new SignInRefusedException(login, refused)
                    : refused;
        }
    }

    /** Ends their sessions and removes them, with what has been made or granted in their names. */
    void drop() {
        texts(FOUND, names.logins()).forEach(this::drop);
    }

    private void drop(String name) {
        String role = SqlName.quoted(name);
        connection.query("ALTER ROLE " + role + " NOLOGIN PASSWORD NULL");
        connection.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", name);
        connection.query("DROP OWNED BY " + role + " CASCADE");
        try {
            connection.query("DROP ROLE " + role);
        } catch (StatementRefusedException refused) {
            if (!refused.sqlState().equals(DEPENDENTS)) {
                throw refused;
            }
            // Somebody has granted it something in another database, where nobody can take that from it.
            texts(
                            "SELECT r.rolname::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
                                    + " JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = $1",
                            name)
                    .forEach(owner -> connection.query("REVOKE " + SqlName.quoted(owner) + " FROM " + role));
            LOG.warnf(
                    "role is left, without rights or login role=%s node=%s reason=%s",
                    name, connection.address(), refused.detail());
        }
    }
}
