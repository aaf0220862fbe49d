package dev.tenantry.control.node.copy;

import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jboss.logging.Logger;

/**
 * Roles on the target of a move that have what the owners of tables have and nothing else, to sign in as while their
 * rows are written: what these tables call can't become anybody else then, as it could where a superuser has only
 * taken another role. They are called by the number of the move, and so can be removed by whoever knows that. Their
 * passwords are kept nowhere.
 */
final class OwnerLogins {

    private static final Logger LOG = Logger.getLogger(OwnerLogins.class);
    private static final String DEPENDENTS = "2BP01";

    /** For signing in, which is done at once. */
    private static final Duration VALID = Duration.ofDays(1);

    /** What writing the rows takes, and the owner of the tables does not have any more. */
    private static final String LACKING = """
            SELECT format('CONNECT ON DATABASE %I', current_database())
            WHERE NOT has_database_privilege($1, current_database(), 'CONNECT')
            UNION ALL SELECT format('USAGE ON SCHEMA %I', $2::text) WHERE NOT has_schema_privilege($1, $2, 'USAGE')
            UNION ALL SELECT format('INSERT ON %I.%I', $2::text, c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $2 AND c.relname = ANY ($3) AND NOT has_table_privilege($1, c.oid, 'INSERT')
            """;

    private static final int SCRAM_ITERATIONS = 4096;
    private static final int PASSWORD_BYTES = 24;
    private static final int SALT_BYTES = 16;

    private final ServerConnection target;
    private final MoveNames names;

    OwnerLogins(ServerConnection target, MoveNames names) {
        this.target = target;
        this.names = names;
    }

    /**
     * Makes one for each owner, in place of those that there are.
     *
     * @param owners by table
     * @return how to sign in, by table
     */
    Map<String, CoordinatorAddress> make(String schema, Map<String, String> owners) {
        drop();
        Map<String, List<String>> tables = new TreeMap<>();
        owners.forEach((table, owner) ->
                tables.computeIfAbsent(owner, first -> new ArrayList<>()).add(table));
        Map<String, CoordinatorAddress> addresses = new LinkedHashMap<>();
        int number = 0;
        for (Map.Entry<String, List<String>> owned : tables.entrySet()) {
            CoordinatorAddress login = make(schema, names.login(++number), owned.getKey(), owned.getValue());
            owned.getValue().forEach(table -> addresses.put(table, login));
        }
        return addresses;
    }

    private CoordinatorAddress make(String schema, String name, String owner, List<String> tables) {
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
                + SqlName.literal(Instant.now().plus(VALID).toString())
                + "; GRANT " + SqlName.quoted(owner) + " TO " + role
                + "; GRANT EXECUTE ON FUNCTION tenantry.hold_copy(bigint, text) TO " + role);
        target.query(LACKING, owner, schema, tables.toArray(new String[0]))
                .forEach(row -> sql.append("; GRANT ")
                        .append(row.getString(0))
                        .append(" TO ")
                        .append(role));
        target.query(sql.toString()); // as one transaction
        return target.address().as(name, password);
    }

    /** Ends their sessions and removes them, with what has been made or granted in their names. */
    void drop() {
        List<String> found = new ArrayList<>();
        target.query("SELECT rolname::text FROM pg_roles WHERE starts_with(rolname::text, $1)", names.logins())
                .forEach(row -> found.add(row.getString(0)));
        for (String name : found) {
            drop(name);
        }
    }

    private void drop(String name) {
        String role = SqlName.quoted(name);
        target.query("ALTER ROLE " + role + " NOLOGIN PASSWORD NULL");
        target.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", name);
        target.query("DROP OWNED BY " + role + " CASCADE");
        try {
            target.query("DROP ROLE " + role);
        } catch (StatementRefusedException refused) {
            if (!refused.sqlState().equals(DEPENDENTS)) {
                throw refused;
            }
            // Somebody has granted it something in another database, where nobody can take that from it.
            target.query(
                            "SELECT r.rolname::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
                                    + " JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = $1",
                            name)
                    .forEach(row -> target.query("REVOKE " + SqlName.quoted(row.getString(0)) + " FROM " + role));
            LOG.warnf(
                    "role is left, without rights or login role=%s node=%s reason=%s",
                    name, target.address(), refused.detail());
        }
    }
}
