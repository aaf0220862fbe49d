package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.MoveTraces;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code citus_schema_move}: what arrives, what is left, and what is refused. */
class MoveIT {

    private static final Cluster CLUSTER = Cluster.shared();

    @Test
    void movesRowsSequencesAndIndexes() throws SQLException {
        create("moved_rows", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("""
                    CREATE TABLE moved_rows.category (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
                    CREATE TABLE moved_rows.note (id bigserial PRIMARY KEY,
                        category_id bigint REFERENCES moved_rows.category, message text NOT NULL);
                    CREATE INDEX note_message ON moved_rows.note (lower(message));
                    INSERT INTO moved_rows.category (name) SELECT 'c' || i FROM generate_series(1, 10) i;
                    INSERT INTO moved_rows.note (category_id, message)
                        SELECT 1 + i % 10, 'm' || i FROM generate_series(1, 1000) i;
                    """);
            move(statement, "moved_rows", CLUSTER.worker(2));
            assertThat(value(statement, "SELECT count(*) || '/' || sum(category_id) FROM moved_rows.note"))
                    .isEqualTo("1000/5500");
            assertThat(value(
                            statement,
                            "INSERT INTO moved_rows.note (category_id, message) VALUES (1, 'x')" + " RETURNING id"))
                    .isEqualTo("1001");
            assertThat(value(statement, "SELECT nodeport FROM citus_schemas WHERE schema_name::text = 'moved_rows'"))
                    .isEqualTo(Integer.toString(CLUSTER.worker(2).port()));
        }
        assertThat(CLUSTER.worker(2).list("SELECT indexname FROM pg_indexes WHERE schemaname = 'moved_rows'"))
                .containsExactlyInAnyOrder("category_pkey", "category_name_key", "note_pkey", "note_message");
        MoveTraces.assertNone(CLUSTER);
    }

    @Test
    void movesToTheCoordinatorAndAwayFromIt() throws SQLException {
        create("moved_home", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("CREATE TABLE moved_home.t (id int PRIMARY KEY); INSERT INTO moved_home.t VALUES (7)");
            statement.execute(coordinatorShouldHaveShards(true));
            move(statement, "moved_home", CLUSTER.coordinator());
            assertThat(value(statement, "SELECT id FROM moved_home.t")).isEqualTo("7");
            assertThat(CLUSTER.coordinator().list("SELECT id FROM moved_home.t"))
                    .containsExactly("7");
            statement.execute("INSERT INTO moved_home.t VALUES (8)");
            move(statement, "moved_home", CLUSTER.worker(1));
            assertThat(value(statement, "SELECT sum(id) FROM moved_home.t")).isEqualTo("15");
            assertThat(CLUSTER.worker(1).list("SELECT sum(id) FROM moved_home.t"))
                    .containsExactly("15");
            statement.execute("DROP SCHEMA moved_home CASCADE");
            statement.execute(coordinatorShouldHaveShards(false)); // as other tests find it
        }
        MoveTraces.assertNone(CLUSTER);
    }

    private static String coordinatorShouldHaveShards(boolean should) {
        return "SELECT citus_set_node_property('" + CLUSTER.coordinator().host() + "', "
                + CLUSTER.coordinator().port() + ", 'shouldhaveshards', " + should + ")";
    }

    @Test
    void movesEmptySchemas() throws SQLException {
        create("moved_empty", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            move(statement, "moved_empty", CLUSTER.worker(2));
            statement.execute("CREATE TABLE moved_empty.t (a int)");
        }
        assertThat(CLUSTER.worker(2).list("SELECT tablename FROM pg_tables WHERE schemaname = 'moved_empty'"))
                .containsExactly("t");
    }

    @Test
    void movesTablesWithoutAKey() throws SQLException {
        create("moved_keyless", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("CREATE TABLE moved_keyless.t (a int, b text);"
                    + " INSERT INTO moved_keyless.t SELECT 1, 'same' FROM generate_series(1, 10)");
            move(statement, "moved_keyless", CLUSTER.worker(2));
            assertThat(value(statement, "SELECT count(*) FROM moved_keyless.t")).isEqualTo("10");
        }
        assertThat(CLUSTER.worker(2).list("SELECT relreplident FROM pg_class WHERE oid = 'moved_keyless.t'::regclass"))
                .containsExactly("d");
        MoveTraces.assertNone(CLUSTER);
    }

    @Test
    void movesUnloggedTablesWithWhatIsInThem() throws SQLException {
        create("moved_unlogged", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("""
                    CREATE TABLE moved_unlogged.kept (id int PRIMARY KEY);
                    INSERT INTO moved_unlogged.kept VALUES (1);
                    CREATE TYPE moved_unlogged.mood AS ENUM ('sad', 'glad');
                    CREATE UNLOGGED TABLE moved_unlogged."Odd" (
                        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone int, "a ""b" text, twice int
                        GENERATED ALWAYS AS (half * 2) STORED, half int, moods moved_unlogged.mood[],
                        kept int REFERENCES moved_unlogged.kept);
                    ALTER TABLE moved_unlogged."Odd" DROP COLUMN gone;
                    CREATE UNLOGGED TABLE moved_unlogged.child (odd int REFERENCES moved_unlogged."Odd", at timestamptz,
                        took interval, raw bytea, part float8);
                    CREATE TABLE moved_unlogged.parts (k int, v text) PARTITION BY RANGE (k);
                    CREATE UNLOGGED TABLE moved_unlogged.part1 PARTITION OF moved_unlogged.parts
                        FOR VALUES FROM (0) TO (1000);
                    CREATE UNLOGGED TABLE moved_unlogged.nothing ();
                    INSERT INTO moved_unlogged."Odd" ("a ""b", half, moods, kept)
                        SELECT E'tab\\t line\\n \\\\N ' || i, i, ARRAY['sad', 'glad']::moved_unlogged.mood[], 1
                        FROM generate_series(1, 1000) i;
                    INSERT INTO moved_unlogged."Odd" ("a ""b") VALUES (NULL), ('');
                    INSERT INTO moved_unlogged.child VALUES (7, 'epoch', '1 mon 2 days', '\\x00ff', 'NaN'), (8, NULL, NULL, NULL, NULL);
                    INSERT INTO moved_unlogged.parts SELECT i, 'p' || i FROM generate_series(0, 999) i;
                    INSERT INTO moved_unlogged.nothing DEFAULT VALUES;
                    """);
            String sums = """
                    SELECT (SELECT count(*) || md5(string_agg(o::text, '|' ORDER BY id)) FROM moved_unlogged."Odd" o)
                        || (SELECT string_agg(c::text, '|' ORDER BY odd) FROM moved_unlogged.child c)
                        || (SELECT count(*) || '/' || sum(k) FROM moved_unlogged.parts)
                        || (SELECT count(*) FROM moved_unlogged.nothing)
                    """;
            String before = value(statement, sums);
            for (PostgresNode target : List.of(CLUSTER.worker(2), CLUSTER.worker(1))) {
                move(statement, "moved_unlogged", target);
                assertThat(value(statement, sums)).isEqualTo(before);
            }
            assertThat(value(statement, "INSERT INTO moved_unlogged.\"Odd\" (half) VALUES (1) RETURNING id"))
                    .isEqualTo("1003");
            assertThat(value(
                            statement,
                            "SELECT relpersistence FROM pg_class" + " WHERE oid = 'moved_unlogged.child'::regclass"))
                    .isEqualTo("u");
        }
        MoveTraces.assertNone(CLUSTER);
    }

    @Test
    void movesValuesThatHaveABinaryForm() throws SQLException {
        create("moved_values", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("""
                    CREATE TABLE moved_values.t (
                        id int PRIMARY KEY, gone text, flag bool, small int2, large int8, single float4, "double" float8,
                        n numeric, scaled numeric(10, 4), words text, word varchar(9), filled char(5), raw bytea, u uuid,
                        d date, tz timetz, at timestamp, attz timestamptz, took interval, j json, jb jsonb, ints int[],
                        texts text[], twice int GENERATED ALWAYS AS (id * 2) STORED, hour time);
                    ALTER TABLE moved_values.t DROP COLUMN gone;
                    INSERT INTO moved_values.t VALUES
                        (1, true, -32768, 9223372036854775807, 'NaN', '-0', 'NaN', 1.5, E'tab\t\\\\N\n', '', 'a  ', '\\x00ff',
                         'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '4713-01-01 BC', '24:00:00+15:59', '-infinity',
                         '294276-12-31 23:59:59.999999+00', '-178000000 years 1 mon -1 day 00:00:00.000001',
                         '{"b": 1, "a" :  [null], "b": 2}', '{"k": "\u00e4"}', '[0:1][2:3]={{1,2},{NULL,4}}',
                         '{"a,b","",NULL}', DEFAULT, '24:00'),
                        (2, false, 7, 0, '-Infinity', '4.9e-324', '1e-300', -99999.9999, 'ä€😀', 'ä', 'ä', '', NULL,
                         'infinity', '00:00-15:59', 'epoch', 'infinity', '0', '"x"', 'null', '{}', '{}', DEFAULT, '00:00');
                    INSERT INTO moved_values.t (id) SELECT generate_series(3, 1000);
                    """);
            String values = "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM moved_values.t t";
            String before = value(statement, values);
            for (PostgresNode target : List.of(CLUSTER.worker(2), CLUSTER.worker(1))) {
                move(statement, "moved_values", target);
                assertThat(value(statement, values)).isEqualTo(before);
            }
        }
    }

    @Test
    void keepsPreparedStatementsWhoseResultHasTypesOfTheSchema() throws SQLException {
        create("moved_types", "worker1");
        try (Connection client = DriverManager.getConnection(CLUSTER.jdbcUrl() + "&prepareThreshold=1");
                Statement statement = client.createStatement()) {
            statement.execute("CREATE TABLE moved_types.t (id int PRIMARY KEY, m text);"
                    + " INSERT INTO moved_types.t VALUES (1, 'happy'), (2, 'sad')");
            try (PreparedStatement prepared = client.prepareStatement("SELECT t FROM moved_types.t t WHERE m = ?")) {
                for (PostgresNode target : List.of(CLUSTER.worker(2), CLUSTER.worker(1))) {
                    for (int i = 0; i < 3; i++) {
                        prepared.setString(1, "happy");
                        assertThat(value(prepared)).isEqualTo("(1,happy)");
                    }
                    move(statement, "moved_types", target);
                }
                assertThat(value(prepared)).isEqualTo("(1,happy)");
            }
        }
    }

    @Test
    void refusesATypeThatTheClientDeclaresByItsFormerOid() throws SQLException {
        create("moved_oids", "worker1");
        try (Connection other = CLUSTER.connect();
                Statement statement = other.createStatement();
                RawClient client = CLUSTER.login()) {
            // What is made on both nodes takes as many oids, so that none of these is there twice by chance.
            statement.execute("CREATE TABLE moved_oids.t (a int)");
            int oid = Integer.parseInt(CLUSTER.worker(1)
                    .list("SELECT 'moved_oids.t'::regtype::oid")
                    .getFirst());
            client.parse("s", "SELECT (($1).a) FROM moved_oids.t RIGHT JOIN (VALUES (1)) v ON true", oid);
            client.bind("", "s", "(5)").execute("", 0).sync().flushOut();
            assertThat(Message.types(client.readUntilReady())).isEqualTo("12DCZ");
            move(statement, "moved_oids", CLUSTER.worker(2));
            client.bind("", "s", "(5)").execute("", 0).sync().flushOut();
            assertThat(Message.types(client.readUntilReady())).isEqualTo("EZ");
            client.query("SELECT 1").flushOut();
            assertThat(Message.types(client.readUntilReady())).isEqualTo("TDCZ");
        }
    }

    @Test
    void refusesWhatCitusRefuses() throws SQLException {
        create("moved_never", "worker1");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            assertThatThrownBy(() -> statement.execute("SELECT citus_schema_move('nowhere', 'localhost', 1)"))
                    .hasMessageContaining("schema \"nowhere\" does not exist");
            assertThatThrownBy(() -> statement.execute("SELECT citus_schema_move('public', 'localhost', 1)"))
                    .hasMessageContaining("schema public is not a distributed schema");
            assertThatThrownBy(() -> statement.execute("SELECT citus_schema_move('moved_never', 'localhost', 1)"))
                    .hasMessageContaining("Moving shards to a non-existing node is not supported")
                    .hasMessageContaining("SELECT citus_add_node('localhost', 1);");
            assertThatThrownBy(() -> move(statement, "moved_never", CLUSTER.worker(1)))
                    .hasMessageContaining("cannot move shard to the same node");
            assertThatThrownBy(() -> statement.execute("SELECT citus_schema_move('moved_never', 4711)"))
                    .hasMessageContaining("node with node id 4711 could not be found");
        }
    }

    private static void create(String schema, String node) throws SQLException {
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = '" + node + "'");
            statement.execute("CREATE SCHEMA " + schema);
        }
    }

    private static void move(Statement statement, String schema, PostgresNode target) throws SQLException {
        statement.execute("SELECT citus_schema_move('" + schema + "', '" + target.host() + "', " + target.port() + ")");
    }

    private static String value(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }

    private static String value(PreparedStatement prepared) throws SQLException {
        try (ResultSet rows = prepared.executeQuery()) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
