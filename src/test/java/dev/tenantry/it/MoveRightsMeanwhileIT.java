package dev.tenantry.it;

import static dev.tenantry.it.RightsAttacks.ATTACKER;
import static dev.tenantry.it.RightsAttacks.CLUSTER;
import static dev.tenantry.it.RightsAttacks.FUNCTIONS;
import static dev.tenantry.it.RightsAttacks.alter;
import static dev.tenantry.it.RightsAttacks.asAttacker;
import static dev.tenantry.it.RightsAttacks.assertNothingStolen;
import static dev.tenantry.it.RightsAttacks.createSchema;
import static dev.tenantry.it.RightsAttacks.disarm;
import static dev.tenantry.it.RightsAttacks.meanwhile;
import static dev.tenantry.it.RightsAttacks.move;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.MovingSchema;
import dev.tenantry.support.PostgresNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas whose owner does in the middle of their move what he can to have more rights; see {@link RightsAttacks}. */
@ExtendWith(RightsAttacks.class)
class MoveRightsMeanwhileIT {

    /** Of a copy in schema {@code s}, and of what is none of it. */
    private static final String ALTERATIONS = """
            CREATE FUNCTION x.evil(v int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT v'
            CREATE FUNCTION x.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
            CREATE TABLE x.parent (id int NOT NULL, b int) PARTITION BY RANGE ((x.evil(id)))
            CREATE TABLE x.gone (id int)
            DROP TABLE x.gone
            CREATE TEMP TABLE gone (id int)
            ALTER TABLE s.t ADD CHECK (x.evil(id) > 0)
            ALTER TABLE s.t RENAME TO u
            ALTER TABLE x.parent ATTACH PARTITION s.t FOR VALUES FROM (0) TO (1000)
            CREATE INDEX ON s.t ((x.evil(id)))
            CREATE TRIGGER fires BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION x.fires()
            CREATE RULE too AS ON INSERT TO s.t DO ALSO SELECT x.evil(1)
            CREATE POLICY none ON s.t USING (false)
            CREATE STATISTICS x.both ON id, b FROM s.t
            CREATE VIEW x.v AS SELECT * FROM s.t
            CREATE TABLE x.child () INHERITS (s.t)
            CREATE FUNCTION x.takes(s.t) RETURNS int LANGUAGE sql AS 'SELECT 1'
            CREATE TABLE s.more (id int)
            CREATE OR REPLACE FUNCTION s.passes(v int, way text) RETURNS boolean LANGUAGE sql AS 'SELECT true'""";

    @Test
    void asksNoViewThatTakesThePlaceOfATableOrASequence() throws SQLException, IOException {
        createSchema("rights_swapped", List.of("t"), FUNCTIONS + """
                CREATE TABLE s.t (id int PRIMARY KEY);
                CREATE SEQUENCE s.q;
                """);
        disarm();
        Map<MovePoint, String> swaps = new EnumMap<>(Map.of(
                MovePoint.COMPARING,
                "ALTER TABLE s.t RENAME TO t_; CREATE VIEW s.t AS SELECT s.same(id, 'view') AS id FROM s.t_",
                MovePoint.LEVEL,
                "ALTER SEQUENCE s.q RENAME TO q_;"
                        + " CREATE VIEW s.q AS SELECT s.same(1, 'values')::bigint AS last_value, true AS is_called"));
        meanwhile("rights_swapped", swaps, CLUSTER.worker(1));
        move("rights_swapped", "auto");
        assertThat(swaps).as("not done").isEmpty();
        assertNothingStolen();
        assertThat(asAttacker("SELECT max(id) FROM rights_swapped.t_")).containsExactly("20");
        CLUSTER.list("DROP SCHEMA rights_swapped CASCADE");
    }

    /** What makes a table guarded in the middle, so that its copy is made anew. */
    @Test
    void asksInTheNamesOfTheOwnersWhatIsAlteredMeanwhile() throws SQLException, IOException {
        assumeThat(CLUSTER.worker(2).majorVersion())
                .as("before 16 guarded tables are not followed")
                .isGreaterThanOrEqualTo(16);
        createSchema("rights_altered", List.of("t", "hidden", "unread"), FUNCTIONS + """
                CREATE TABLE s.t (id int PRIMARY KEY);
                CREATE TABLE s.big (id int PRIMARY KEY CHECK (id > 0), filler text);
                INSERT INTO s.big SELECT i, repeat('x', 1000) FROM generate_series(1, 36000) i;
                CREATE TABLE s.hidden (id int PRIMARY KEY);
                CREATE TABLE s.unread (id int PRIMARY KEY);
                """);
        alter(
                "rights_altered",
                "ALTER TABLE s.hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                        + " CREATE POLICY none ON s.hidden USING (false); REVOKE ALL ON s.unread FROM " + ATTACKER);
        disarm();
        Map<MovePoint, String> steps = new EnumMap<>(Map.of(
                MovePoint.SUBSCRIBED,
                "CREATE INDEX ON s.big ((id + s.same(1, 'index of parts')))",
                MovePoint.COMPARING,
                "CREATE INDEX ON s.t ((id + s.same(1, 'index of what is compared')))"));
        meanwhile("rights_altered", steps, CLUSTER.worker(1));
        move("rights_altered", "auto");
        assertThat(steps).as("not done").isEmpty();
        assertThat(CLUSTER.list("SELECT attempt FROM tenantry_moves ORDER BY moveid DESC LIMIT 1"))
                .containsExactly("3");
        assertThat(CLUSTER.worker(2)
                        .list("SELECT (SELECT count(*) FROM rights_altered.hidden) || ' '"
                                + " || (SELECT count(*) FROM rights_altered.unread)"))
                .containsExactly("20 20");
        assertThat(asAttacker("SELECT count(*) FROM rights_altered.big")).containsExactly("36000");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_altered CASCADE");
    }

    @Test
    void writesDomainsThatOthersMayAlterInTheNameOfTheOwner() throws SQLException, IOException {
        for (PostgresNode worker : CLUSTER.workers()) {
            worker.list(
                    "CREATE DOMAIN public.rights_quiet AS int; ALTER DOMAIN public.rights_quiet OWNER TO " + ATTACKER);
        }
        createSchema(
                "rights_outside", List.of("t"), FUNCTIONS + "CREATE TABLE s.t (id public.rights_quiet PRIMARY KEY)");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = 'worker2'");
            statement.execute("CREATE SCHEMA rights_beside AUTHORIZATION " + ATTACKER);
        }
        alter("rights_beside", FUNCTIONS);
        disarm();
        Map<MovePoint, String> steps = new EnumMap<>(Map.of(
                MovePoint.CREATION_NOTED,
                "ALTER DOMAIN public.rights_quiet ADD CHECK (rights_beside.passes(VALUE, 'domain of public'))"));
        meanwhile("rights_outside", steps, CLUSTER.worker(2));
        move("rights_outside", "block_writes");
        assertThat(steps).as("not done").isEmpty();
        assertNothingStolen();
        assertThat(CLUSTER.worker(2).list("SELECT way FROM public.rights_calls"))
                .contains("domain of public");
        assertThat(asAttacker("SELECT sum(id) FROM rights_outside.t")).containsExactly("210");
        CLUSTER.list("DROP SCHEMA rights_outside CASCADE");
        CLUSTER.list("DROP SCHEMA rights_beside CASCADE");
        for (PostgresNode worker : CLUSTER.workers()) {
            worker.list("DROP DOMAIN public.rights_quiet");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RAISE EXCEPTION 'gone' USING ERRCODE = '08006'",
                "PERFORM pg_terminate_backend(pg_backend_pid())"
            })
    void doesNotBelieveWhatTablesSayOfTheConnection(String lie) throws SQLException, IOException {
        createSchema("rights_liar", List.of("t"), """
                CREATE FUNCTION s.lies(v int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$
                BEGIN IF session_user LIKE 'tenantry%owner%' THEN LIE; END IF; RETURN v; END $f$;
                CREATE TABLE s.t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (s.lies(id)) STORED);
                """.replace("LIE", lie));
        assertThatThrownBy(() -> move("rights_liar", "block_writes"))
                .hasMessageContaining("the rows of schema rights_liar could not be copied")
                .extracting(failed -> ((SQLException) failed).getSQLState())
                .isEqualTo("55006");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_liar CASCADE");
    }

    @Test
    void makesOtherRolesThanThoseThatCanNotBeDropped() throws SQLException, IOException {
        createSchema("rights_left", List.of("t"), """
                CREATE FUNCTION s.same(v int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT v';
                CREATE TABLE s.t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (s.same(id)) STORED);
                """);
        alter("rights_left", "REVOKE ALL ON FUNCTION s.same(int) FROM PUBLIC, " + ATTACKER);
        String left = nextLogin();
        PostgresNode target = CLUSTER.worker(2);
        target.list("CREATE ROLE " + left);
        try (Connection elsewhere = DriverManager.getConnection(target.jdbcUrl("postgres"));
                Statement granting = elsewhere.createStatement()) {
            granting.execute("GRANT CREATE ON SCHEMA public TO " + left);
            move("rights_left", "block_writes");
            assertThat(target.list("SELECT sum(g) FROM rights_left.t")).containsExactly("210");
            assertThat(target.list("SELECT rolname FROM pg_roles WHERE NOT rolcanlogin AND rolname = '" + left + "'"))
                    .containsExactly(left);
            granting.execute("DROP OWNED BY " + left + "; DROP ROLE " + left);
        }
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_left CASCADE");
    }

    @Test
    void saysWhichNodeLetsNoOwnerIn() throws SQLException, IOException {
        createSchema("rights_hba", List.of("t"), "CREATE TABLE s.t (id int PRIMARY KEY)");
        PostgresNode source = CLUSTER.worker(1);
        Path rules = Path.of(source.list("SHOW hba_file").getFirst());
        String before = Files.readString(rules);
        String login = nextLogin();
        try {
            Files.writeString(rules, "host all " + login + " all reject\n" + before);
            source.list("SELECT pg_reload_conf()");
            Eventually.passes(() -> assertThatThrownBy(
                            () -> DriverManager.getConnection("jdbc:postgresql://%s:%d/tenantry?user=%s&password=x"
                                    .formatted(source.host(), source.port(), login)))
                    .hasMessageContaining("pg_hba.conf rejects"));
            assertThatThrownBy(() -> move("rights_hba", "auto"))
                    .hasMessageContaining("node \"worker1\" lets no role sign in")
                    .hasMessageContaining("Let pg_hba.conf there admit roles called tenantry_")
                    .extracting(failed -> ((SQLException) failed).getSQLState())
                    .isEqualTo("28000");
        } finally {
            Files.writeString(rules, before);
            source.list("SELECT pg_reload_conf()");
        }
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_hba CASCADE");
    }

    @Test
    void keepsTheRolesOfAMoveFromOtherNodesAndFromClients() throws SQLException {
        String login = nextLogin();
        CLUSTER.coordinator()
                .list("CREATE ROLE " + login + " LOGIN PASSWORD 'x'; GRANT " + ATTACKER + " TO " + login
                        + "; GRANT CONNECT ON DATABASE tenantry TO " + login + "; ALTER ROLE " + login
                        + " SET work_mem = '1MB'");
        try {
            assertThat(CLUSTER.coordinator()
                            .list("SELECT s FROM tenantry.role_statements(180000) s WHERE s ~ '_owner_'"))
                    .isEmpty();
            assertThatThrownBy(() -> DriverManager.getConnection("jdbc:postgresql://%s:%d/tenantry?user=%s&password=x"
                            .formatted(CLUSTER.host(), CLUSTER.port(), login)))
                    .hasMessageContaining("authentication failed");
        } finally {
            CLUSTER.coordinator().list("DROP OWNED BY " + login + "; DROP ROLE " + login);
        }
    }

    @Test
    void letsOnlySuperusersAlterACopyThatIsBeingMade() throws Exception {
        PostgresNode target = CLUSTER.worker(2);
        createSchema("rights_copied", List.of("t"), FUNCTIONS + "CREATE TABLE s.t (id int PRIMARY KEY, b int)");
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = 'worker2'");
            statement.execute("CREATE SCHEMA x AUTHORIZATION " + ATTACKER);
        }
        disarm();
        try (Connection before = target.connect();
                Statement old = before.createStatement()) {
            Map<String, String> states = new LinkedHashMap<>();
            AtomicReference<CompletableFuture<String>> late = new AtomicReference<>();
            old.execute("SET SESSION AUTHORIZATION " + ATTACKER);
            CLUSTER.observeMoves(point -> {
                if (point == MovePoint.CREATION_NOTED) {
                    MovingSchema.apart(() -> old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"));
                } else if (point == MovePoint.DEFINITION_CREATED) {
                    MovingSchema.apart(() -> {
                        ALTERATIONS
                                .lines()
                                .forEach(sql ->
                                        states.put(sql, stateOf(target, RightsAttacks.of("rights_copied", sql))));
                        old.execute("CREATE TABLE x.rr (id int)");
                        states.put("old snapshot", stateOf(old, "CREATE INDEX ON rights_copied.t (b)"));
                    });
                } else if (point == MovePoint.SWITCHED) {
                    late.set(CompletableFuture.supplyAsync(
                            () -> stateOf(target, "CREATE INDEX ON rights_copied.t (b)")));
                }
            });
            move("rights_copied", "auto");
            assertThat(states).hasSize(20);
            states.forEach((sql, state) -> assertThat(state)
                    .as(sql)
                    .isEqualTo(sql.equals("old snapshot") ? "40001" : sql.contains("s.") ? "55006" : "done"));
            assertThat(late.get().get(30, TimeUnit.SECONDS)).isEqualTo("done");
        }
        alter("rights_copied", "ALTER TABLE s.t ADD CHECK (s.passes(b, 'check'))");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_copied CASCADE");
        CLUSTER.list("DROP SCHEMA x CASCADE");
    }

    private static String stateOf(PostgresNode node, String sql) {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET SESSION AUTHORIZATION " + ATTACKER);
            return stateOf(statement, sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static String stateOf(Statement statement, String sql) {
        try {
            statement.execute(sql);
            return "done";
        } catch (SQLException refused) {
            return refused.getSQLState();
        }
    }

    /** What the first role of the next move is called. */
    private static String nextLogin() throws SQLException {
        return CLUSTER.coordinator()
                .list("SELECT format('tenantry_%s_move_%s_owner_1', cluster_id,"
                        + " (SELECT last_value + is_called::int FROM tenantry.move_moveid_seq)) FROM tenantry.cluster")
                .getFirst();
    }
}
