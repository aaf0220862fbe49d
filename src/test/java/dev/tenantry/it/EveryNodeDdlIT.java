package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** DDL that concerns every node: done on all of them or refused, and what of ours nobody may drop. */
class EveryNodeDdlIT {
    private static final String HSTORE = "SELECT count(*) FROM pg_extension WHERE extname = 'hstore'";

    /** What roles may do, as each server notes it. */
    private static final List<String> GRANTED = List.of(
            "SELECT concat_ws(' ', a.defaclrole::regrole, a.defaclobjtype, g.grantee::regrole, g.privilege_type,"
                    + " g.is_grantable) FROM pg_default_acl a LEFT JOIN aclexplode(a.defaclacl) g ON true"
                    + " WHERE a.defaclnamespace = 0 ORDER BY 1",
            "SELECT concat_ws(' ', p.parname, g.grantee::regrole, g.privilege_type, g.is_grantable)"
                    + " FROM pg_parameter_acl p, aclexplode(p.paracl) g ORDER BY 1",
            "SELECT objoid::regrole || ' ' || description FROM pg_shdescription"
                    + " WHERE classoid = 'pg_authid'::regclass");

    private static Cluster cluster;

    @BeforeAll
    static void start() throws SQLException {
        cluster = Cluster.start(1);
        cluster.list("CREATE SCHEMA acme");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"public", "acme"})
    void makesExtensionsNowhereButInStatementsOfTheirOwn(String path) throws SQLException {
        String set = "SET search_path = " + path + ", public; ";
        String inBlock = "DO $$ BEGIN EXECUTE '%s'; END $$";
        for (String create : List.of("CREATE EXTENSION hstore", "CREATE EXTENSION IF NOT EXISTS hstore")) {
            ServerErrorMessage refused = refused(set + inBlock.formatted(create));
            assertThat(refused.getSQLState()).isEqualTo("TN001");
            assertThat(refused.getMessage()).startsWith("CREATE EXTENSION is possible through a Tenantry proxy only");
            assertThat(refused.getHint()).startsWith("Send it to the proxy by itself");
        }
        cluster.list(set + "CREATE FUNCTION extend() RETURNS void LANGUAGE sql AS 'CREATE EXTENSION hstore'");
        assertThat(refused(set + "SELECT extend()").getSQLState()).isEqualTo("TN001");
        cluster.list(set + "DROP FUNCTION extend()");
        assertThat(onNodes(HSTORE)).containsExactly("0", "0");

        cluster.list("BEGIN; CREATE EXTENSION hstore SCHEMA public; COMMIT");
        assertThat(onNodes(HSTORE)).containsExactly("1", "1");
        cluster.list(set + inBlock.formatted("CREATE EXTENSION IF NOT EXISTS hstore"));
        cluster.list(set + inBlock.formatted("DROP EXTENSION IF EXISTS citext"));
        assertThat(refused(set + inBlock.formatted("DROP EXTENSION hstore")).getSQLState())
                .isEqualTo("TN001");
        assertThat(refused(set + inBlock.formatted("ALTER EXTENSION hstore SET SCHEMA information_schema"))
                        .getSQLState())
                .isEqualTo("TN001");
        assertThat(refused("BEGIN; CREATE EXTENSION citext SCHEMA public; " + set
                                + inBlock.formatted("DROP EXTENSION hstore"))
                        .getSQLState())
                .isEqualTo("TN001");
        cluster.list("DROP EXTENSION hstore /* on all */ -- of them");
        assertThat(onNodes(HSTORE)).containsExactly("0", "0");
    }

    /** Whoever connects to a server knows that it is one of several. */
    @Test
    void letsWhoConnectsToANodeDoThereAsHeLikes() throws SQLException {
        cluster.worker(1).list("DO $$ BEGIN CREATE EXTENSION hstore SCHEMA public; DROP EXTENSION hstore; END $$");
        cluster.worker(1).list("DO $$ BEGIN CREATE ROLE only_here; DROP ROLE only_here; END $$");
    }

    @Test
    void refusesRolesInDoBlocks() throws SQLException {
        ServerErrorMessage refused = refused("DO $$ BEGIN IF true THEN CREATE ROLE hidden; END IF; END $$");
        assertThat(refused.getSQLState()).isEqualTo("TN001");
        assertThat(refused.getMessage()).startsWith("CREATE ROLE is possible through a Tenantry proxy only");
        assertThat(onNodes("SELECT count(*) FROM pg_roles WHERE rolname = 'hidden'"))
                .containsExactly("0", "0");
        try (Cluster alone = Cluster.start(0)) {
            alone.list("DO $$ BEGIN CREATE ROLE hidden; END $$");
            assertThat(alone.list("SELECT 1 FROM pg_roles WHERE rolname = 'hidden'"))
                    .hasSize(1);
        }
    }

    @Test
    void givesANewNodeWhatRolesMayDo() throws SQLException {
        cluster.list("CREATE ROLE granted; CREATE ROLE \"Granted too\"; COMMENT ON ROLE granted IS 'one''s own'");
        cluster.list("ALTER DEFAULT PRIVILEGES FOR ROLE granted GRANT SELECT ON TABLES TO \"Granted too\""
                + " WITH GRANT OPTION");
        cluster.list("ALTER DEFAULT PRIVILEGES FOR ROLE \"Granted too\" REVOKE ALL ON FUNCTIONS FROM PUBLIC");
        cluster.list("GRANT SET, ALTER SYSTEM ON PARAMETER log_min_messages TO granted WITH GRANT OPTION");
        cluster.list("GRANT SET ON PARAMETER our.setting TO \"Granted too\"");
        try (PostgresNode joining = PostgresNode.start("joining");
                Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            joining.list("ALTER SYSTEM SET wal_level = 'replica'");
            joining.restart();
            String address = "('" + joining.host() + "', " + joining.port() + ")";
            statement.execute("SELECT citus_add_node" + address);
            assertThat(String.valueOf(statement.getWarnings()))
                    .contains("schemas on " + joining.host() + ":" + joining.port()
                            + " cannot be moved while they are written to: wal_level is replica");
            try {
                for (String told : GRANTED) {
                    assertThat(joining.list(told))
                            .as(told)
                            .isNotEmpty()
                            .isEqualTo(cluster.coordinator().list(told));
                }
            } finally {
                statement.execute("SELECT citus_remove_node" + address);
            }
            joining.list("ALTER SYSTEM SET wal_level = 'logical'");
            joining.restart();
            statement.clearWarnings();
            statement.execute("SELECT citus_add_node" + address);
            assertThat(String.valueOf(statement.getWarnings())).isEqualTo("null");
            statement.execute("SELECT citus_remove_node" + address);
        } finally {
            cluster.list("DROP OWNED BY granted");
            cluster.list("DROP OWNED BY \"Granted too\"");
            cluster.list("DROP ROLE granted, \"Granted too\"");
        }
    }

    @Test
    void namesTheNodeThatRefuses() throws SQLException {
        cluster.worker(1).list("CREATE ROLE there_already");
        ServerErrorMessage refused = refused("CREATE ROLE there_already");
        assertThat(refused.getSQLState()).isEqualTo("42710");
        assertThat(refused.getMessage()).isEqualTo("role \"there_already\" already exists");
        assertThat(refused.getDetail()).isEqualTo("Node \"worker1\" has said so.");
        assertThat(cluster.coordinator().list("SELECT 1 FROM pg_roles WHERE rolname = 'there_already'"))
                .isEmpty();
        cluster.worker(1).list("DROP ROLE there_already");

        cluster.list("CREATE ROLE owning");
        cluster.list("CREATE TABLE acme.owned (); ALTER TABLE acme.owned OWNER TO owning");
        ServerErrorMessage needed = refused("DROP ROLE owning");
        assertThat(needed.getDetail()).isEqualTo("owner of table acme.owned\nNode \"worker1\" has said so.");
        cluster.list("DROP TABLE acme.owned; DROP ROLE owning");
        assertThat(refused("DROP ROLE owning").getDetail()).isNull();
    }

    @Test
    void saysWhatToDoWithSchemasOfWhoseObjectsAreDropped() throws SQLException {
        cluster.list("CREATE ROLE leaving; CREATE ROLE staying");
        cluster.list("CREATE SCHEMA left_a AUTHORIZATION leaving; CREATE SCHEMA left_b AUTHORIZATION leaving");
        ServerErrorMessage refused = refused("DROP OWNED BY leaving");
        assertThat(refused.getSQLState()).isEqualTo("TN001");
        assertThat(refused.getDetail()).isEqualTo("Schemas that it would drop: left_a, left_b.");
        assertThat(refused.getHint())
                .startsWith("Drop them with DROP SCHEMA, or give them to another role with REASSIGN");
        assertThat(refused("DO $$ BEGIN DROP OWNED BY leaving; END $$").getSQLState())
                .isEqualTo("TN001");
        cluster.list("DROP SCHEMA left_a");
        cluster.list("REASSIGN OWNED BY leaving TO staying");
        cluster.list("DROP OWNED BY leaving");
        cluster.list("DROP ROLE leaving");
        assertThat(onNodes("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'left_b'"))
                .containsExactly("staying", "staying");
        cluster.list("DROP SCHEMA left_b; DROP ROLE staying");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "DROP VIEW citus_nodes # view tenantry.citus_nodes",
                "DROP VIEW IF EXISTS citus_schemas CASCADE # view tenantry.citus_schemas",
                "DROP VIEW tenantry.citus_shards # view tenantry.citus_shards",
                "DROP FUNCTION tenantry.catalog_changed() # function tenantry.catalog_changed()",
                "DROP TABLE tenantry.node CASCADE # table tenantry.node",
                "DROP TYPE tenantry.noderole CASCADE # type tenantry.noderole",
                "ALTER TABLE tenantry.node DROP COLUMN name CASCADE # table column tenantry.node.name",
                "DROP EXTENSION dblink CASCADE # function tenantry.",
                "DO 'BEGIN DROP VIEW tenantry.citus_nodes; END' # view tenantry.citus_nodes"
            })
    void keepsItsOwnObjects(String sql, String object) throws SQLException {
        ServerErrorMessage refused = refused(sql);
        assertThat(refused.getSQLState()).isEqualTo("2BP01");
        assertThat(refused.getMessage()).startsWith("cannot drop " + object).endsWith("cluster requires it");
        assertThat(cluster.list("SELECT name FROM tenantry.node, citus_nodes, citus_schemas"))
                .isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "ALTER VIEW citus_nodes RENAME TO other # view tenantry.citus_nodes",
                "ALTER VIEW citus_nodes SET SCHEMA public # view tenantry.citus_nodes",
                "ALTER VIEW citus_nodes RENAME COLUMN role TO other # view column tenantry.citus_nodes.role",
                "ALTER TABLE tenantry.node RENAME TO other # table tenantry.node",
                "ALTER INDEX tenantry.node_pkey RENAME TO other # index tenantry.node_pkey",
                "ALTER FUNCTION tenantry.catalog_changed SET SCHEMA public # function tenantry.catalog_changed",
                "ALTER ROUTINE tenantry.catalog_changed() RENAME TO other # function tenantry.catalog_changed",
                "ALTER TYPE tenantry.noderole SET SCHEMA public # type tenantry.noderole",
                "DO 'BEGIN ALTER VIEW tenantry.citus_nodes RENAME TO other; END' # view tenantry.citus_nodes"
            })
    void keepsItsOwnNames(String sql, String object) throws SQLException {
        for (String begin : List.of("", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; ")) {
            ServerErrorMessage refused = refused(begin + sql);
            assertThat(refused.getSQLState()).isEqualTo("2BP01");
            assertThat(refused.getMessage())
                    .isEqualTo("cannot rename or move " + object + " because the Tenantry cluster requires it");
        }
        assertThat(cluster.list("SELECT name FROM tenantry.node, citus_nodes")).isNotEmpty();
    }

    @Test
    void letsOthersBeRenamed() throws SQLException {
        cluster.list("CREATE VIEW acme.citus_nodes AS SELECT 1 AS name");
        cluster.list("ALTER VIEW acme.citus_nodes RENAME COLUMN name TO other");
        cluster.list("ALTER VIEW acme.citus_nodes RENAME TO catalog_changed");
        cluster.list("DROP VIEW acme.catalog_changed");
        cluster.list("ALTER TABLE tenantry.node ALTER name SET NOT NULL");
    }

    @Test
    void movesExtensionsToNoDistributedSchema() throws SQLException {
        cluster.list("CREATE EXTENSION hstore SCHEMA public");
        ServerErrorMessage refused = refused("ALTER EXTENSION hstore SET SCHEMA acme");
        assertThat(refused.getSQLState()).isEqualTo("0A000");
        assertThat(refused.getMessage()).isEqualTo("extension \"hstore\" can't be in distributed schema \"acme\"");
        assertThat(refused.getDetail()).contains("that schema is on node \"worker1\" only");
        assertThat(refused.getHint()).endsWith("ALTER EXTENSION ... SET SCHEMA public.");
        cluster.list("SET citus.enable_schema_based_sharding = off; CREATE SCHEMA extended");
        cluster.list("ALTER EXTENSION hstore SET SCHEMA extended");
        assertThat(onNodes("SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'hstore'"))
                .containsExactly("extended", "extended");
        cluster.list("DROP EXTENSION hstore; DROP SCHEMA extended");
    }

    @ParameterizedTest
    @ValueSource(strings = {"DROP SCHEMA tenantry CASCADE", "ALTER SCHEMA tenantry RENAME TO other"})
    void keepsItsOwnSchema(String sql) throws SQLException {
        ServerErrorMessage refused = refused(sql);
        assertThat(refused.getSQLState()).isEqualTo("2BP01");
        assertThat(refused.getMessage()).contains(" schema tenantry because the Tenantry cluster requires it");
    }

    private static List<String> onNodes(String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        for (PostgresNode node : cluster.nodes()) {
            values.addAll(node.list(sql));
        }
        return values;
    }

    private static ServerErrorMessage refused(String sql) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            PSQLException refused = catchThrowableOfType(PSQLException.class, () -> statement.execute(sql));
            Objects.requireNonNull(refused, "done: " + sql);
            return Objects.requireNonNull(refused.getServerErrorMessage(), refused.getMessage());
        }
    }
}
