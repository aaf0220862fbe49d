package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.FirstColumn;
import dev.tenantry.support.MoveTraces;
import dev.tenantry.support.MovingSchema;
import dev.tenantry.support.PostgresNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Schemas whose functions try, whenever and wherever they are called, to make their owner a superuser, to write a file
 * of the server, which works in transactions that are read-only too, and to note whose rights they have.
 */
class MoveRightsIT {

    private static final Cluster CLUSTER = Cluster.shared();
    private static final String ATTACKER = "rights_attacker";

    @TempDir
    private static Path stolen;

    /** {@code s} is the schema; functions that are immutable may not write themselves, but call those that do. */
    private static final String FUNCTIONS = """
            CREATE FUNCTION s.steal(way text) RETURNS void LANGUAGE plpgsql AS $f$
            BEGIN
                BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
                BEGIN EXECUTE 'ALTER ROLE rights_attacker SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;
                BEGIN EXECUTE format('COPY (SELECT current_query()) TO %L', 'FOLDER/' || way); EXCEPTION WHEN OTHERS THEN NULL; END;
                BEGIN INSERT INTO public.rights_calls VALUES (way, current_user); EXCEPTION WHEN OTHERS THEN NULL; END;
            END $f$;
            CREATE FUNCTION s.passes(v int, way text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$
            BEGIN PERFORM s.steal(way); RETURN true; END $f$;
            CREATE FUNCTION s.same(v int, way text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$
            BEGIN PERFORM s.steal(way); RETURN v; END $f$;
            CREATE FUNCTION s.equal(a int, b int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$
            BEGIN PERFORM s.steal('operator'); RETURN a = b; END $f$;
            CREATE OPERATOR s.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = s.equal);
            """;

    /** One table for each way to have a function called, all of a column or two of whole numbers. */
    private static final String TABLES = """
            CREATE TABLE s.checked (id int PRIMARY KEY CHECK (s.passes(id, 'check')), CHECK (s.passes(1, 'check_const')));
            CREATE TABLE s.operated (id int PRIMARY KEY CHECK (id OPERATOR(s.===) id AND 1 OPERATOR(s.===) 1));
            CREATE DOMAIN s.dom AS int CHECK (s.passes(VALUE, 'domain'));
            CREATE TABLE s.of_domain (id s.dom PRIMARY KEY);
            CREATE TYPE s.pair AS (a int, b s.dom);
            CREATE TABLE s.of_composite (id int PRIMARY KEY, p s.pair);
            CREATE TABLE s.of_array (id int PRIMARY KEY, a s.dom[]);
            CREATE TYPE s.span AS RANGE (SUBTYPE = s.dom);
            CREATE TABLE s.of_range (id int PRIMARY KEY, r s.span);
            CREATE TABLE s.cast_to_domain (id int PRIMARY KEY, t text CHECK (t::s.dom > 0));
            CREATE TABLE s.generated (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id + s.same(1, 'generated')) STORED);
            CREATE TABLE s.indexed (id int PRIMARY KEY);
            CREATE INDEX ON s.indexed ((id + s.same(1, 'index')));
            CREATE INDEX ON s.indexed (id) WHERE id > s.same(0, 'predicate');
            CREATE TABLE s.measured (id int PRIMARY KEY, b int);
            CREATE STATISTICS s.measures ON (id + s.same(1, 'statistics')), b FROM s.measured;
            CREATE TABLE s.parted (id int, b int) PARTITION BY RANGE (s.same(id, 'partition'));
            CREATE TABLE s.part1 PARTITION OF s.parted (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (1000);
            CREATE TABLE s.refers (id int PRIMARY KEY REFERENCES s.indexed);
            CREATE TABLE s.is_referred (id int PRIMARY KEY REFERENCES s.checked ON DELETE CASCADE);
            CREATE TYPE s.word AS ENUM ('a');
            CREATE FUNCTION s.number(w s.word) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$
            BEGIN PERFORM s.steal('cast of a key'); RETURN 1; END $f$;
            CREATE CAST (s.word AS int) WITH FUNCTION s.number(s.word) AS IMPLICIT;
            CREATE TABLE s.numbered (id int PRIMARY KEY);
            INSERT INTO s.numbered VALUES (1);
            CREATE TABLE s.cast_key (w s.word REFERENCES s.numbered, id int PRIMARY KEY);
            INSERT INTO s.cast_key VALUES ('a', 1);
            CREATE TABLE s.child (CHECK (s.passes(id, 'child')), PRIMARY KEY (id)) INHERITS (s.checked);
            CREATE TABLE s.harmless (id int PRIMARY KEY CHECK (id > 0), t text DEFAULT 'x');
            CREATE INDEX ON s.harmless (lower(t)) WHERE id > 5;
            CREATE TABLE s.hashed (a int) PARTITION BY HASH ((a + coalesce(s.same(1, 'hash key'), 0)));
            CREATE TABLE s.looks_up (id int PRIMARY KEY, b int);
            CREATE INDEX ON s.looks_up (b) WHERE satisfies_hash_partition('s.hashed'::regclass::oid, 2, 0, 1);
            """;

    private static final List<String> NAMES = List.of(
            "checked",
            "operated",
            "of_domain",
            "of_composite",
            "of_array",
            "of_range",
            "cast_to_domain",
            "generated",
            "indexed",
            "measured",
            "parted",
            "refers",
            "is_referred",
            "child",
            "harmless");

    @BeforeAll
    static void arm() throws SQLException, IOException {
        Files.setPosixFilePermissions(stolen, PosixFilePermissions.fromString("rwxrwxrwx"));
        CLUSTER.list("CREATE ROLE " + ATTACKER + " LOGIN PASSWORD 'rights'");
        for (PostgresNode worker : CLUSTER.workers()) {
            worker.list("CREATE TABLE public.rights_calls (way text, caller name);"
                    + " GRANT INSERT ON public.rights_calls TO PUBLIC");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "block_writes"})
    void callsNothingOfASchemaWithTheRightsOfASuperuser(String mode) throws SQLException, IOException {
        assumeThat(mode.equals("auto") && CLUSTER.worker(1).majorVersion() < 16)
                .as("before 16 changes are applied with the rights of a superuser")
                .isFalse();
        String schema = "rights_" + mode;
        create(schema, NAMES, FUNCTIONS + TABLES);
        List<String> before = describe(schema);
        disarm();
        move(schema, mode);
        assertThat(CLUSTER.worker(2).list("SELECT nspname FROM pg_namespace WHERE nspname = '" + schema + "'"))
                .containsExactly(schema);
        assertNothingStolen();
        assertThat(CLUSTER.worker(2).list("SELECT DISTINCT caller <> '" + ATTACKER + "' FROM public.rights_calls"))
                .as("called by roles of the move")
                .contains("t");
        assertThat(describe(schema)).isEqualTo(before);
        CLUSTER.list("DROP SCHEMA " + schema + " CASCADE");
    }

    @Test
    void writesHeldRowsInTheNameOfTheirOwnerWhereWritersWait() throws SQLException, IOException {
        create("rights_held", List.of("held"), FUNCTIONS + """
                CREATE UNLOGGED TABLE s.held (id int PRIMARY KEY);
                CREATE FUNCTION s.held(t text) RETURNS s.held LANGUAGE plpgsql AS $f$
                BEGIN PERFORM s.steal('cast'); RETURN ROW(1)::s.held; END $f$;
                CREATE CAST (text AS s.held) WITH FUNCTION s.held(text);
                """);
        assertRefused("rights_held", "for unlogged tables|for tables on PostgreSQL 15");
        move("rights_held", "block_writes");
        assertThat(asAttacker("SELECT sum(id) FROM rights_held.held")).containsExactly("210");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_held CASCADE");
    }

    @Test
    void asksNoViewThatTakesThePlaceOfATableOrASequence() throws SQLException, IOException {
        create("rights_swapped", List.of("t"), FUNCTIONS + """
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

    /** The attacker alters his schema on a node, past the proxies, when its move first gets to these points. */
    private static void meanwhile(String schema, Map<MovePoint, String> steps, PostgresNode node) {
        CLUSTER.observeMoves(point -> {
            String sql = steps.remove(point);
            if (sql != null) {
                MovingSchema.apart(() -> node.list("SET SESSION AUTHORIZATION " + ATTACKER + "; " + of(schema, sql)));
            }
        });
    }

    @AfterEach
    void observeNothing() {
        CLUSTER.observeMoves(MovePoint.Observer.NONE);
    }

    @Test
    void refusesWhatCallsFunctionsWhenItIsMade() throws SQLException, IOException {
        create("rights_view", List.of(), FUNCTIONS + """
                CREATE DOMAIN s.dom AS int CHECK (s.passes(VALUE, 'constant'));
                CREATE VIEW s.v AS SELECT '{1}'::s.dom[] AS a;
                """);
        assertRefused("rights_view", "for constants of types that are checked");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_view CASCADE");
    }

    @Test
    void refusesWhereAPartitionKeyIsComputedLater() throws SQLException, IOException {
        create("rights_parted", List.of(), FUNCTIONS + """
                CREATE TABLE s.parted (id int, b int) PARTITION BY RANGE ((id + s.same(1, 'partition')));
                CREATE INDEX ON s.parted (b);
                CREATE TABLE s.part1 PARTITION OF s.parted FOR VALUES FROM (0) TO (1000);
                """);
        assertRefused("rights_parted", "for partition keys that are expressions");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_parted CASCADE");
    }

    @Test
    void refusesToFollowTablesThatAreFoundByNoKey() throws SQLException, IOException {
        create("rights_keyless", List.of(), FUNCTIONS + """
                CREATE TABLE s.t (id int);
                CREATE INDEX ON s.t ((id + s.same(1, 'identity')));
                """);
        assertRefused("rights_keyless", "for tables without a key|for tables on PostgreSQL 15");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_keyless CASCADE");
    }

    private static void assertRefused(String schema, String why) {
        assertThatThrownBy(() -> move(schema, "auto"))
                .isInstanceOf(SQLException.class)
                .hasMessageMatching("(?s).*functions would be called with a superuser's rights (" + why + ").*")
                .extracting(failed -> ((SQLException) failed).getSQLState())
                .isEqualTo("0A000");
    }

    /** He has had nothing yet but his own rights. */
    private static void disarm() throws SQLException, IOException {
        assertThat(stolen()).isEmpty();
        for (PostgresNode worker : CLUSTER.workers()) {
            worker.list("DELETE FROM public.rights_calls");
        }
    }

    private static void create(String schema, List<String> filled, String sql) throws SQLException {
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = 'worker1'");
            statement.execute("CREATE SCHEMA " + schema + " AUTHORIZATION " + ATTACKER);
        }
        try (Connection attacker = attacker();
                Statement statement = attacker.createStatement()) {
            statement.execute(of(schema, sql));
            for (String table : filled) {
                statement.execute(insert(schema + "." + table, table));
            }
        }
    }

    private static String of(String schema, String sql) {
        return sql.replaceAll("\\bs\\.", schema + ".").replace("FOLDER", stolen.toString());
    }

    private static Connection attacker() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://" + CLUSTER.host() + ":" + CLUSTER.port()
                + "/tenantry?user=" + ATTACKER + "&password=rights");
    }

    private static List<String> asAttacker(String sql) throws SQLException {
        try (Connection attacker = attacker();
                Statement statement = attacker.createStatement()) {
            return new ArrayList<>(FirstColumn.of(statement, sql));
        }
    }

    private static String insert(String name, String table) {
        String from = " FROM generate_series(1, 20) i";
        return "INSERT INTO " + name
                + switch (table) {
                    case "of_composite" -> " SELECT i, '(1,2)'" + from;
                    case "of_array" -> " SELECT i, ARRAY[i, i]" + from;
                    case "of_range" -> " SELECT i, '[1,2)'" + from;
                    case "cast_to_domain" -> " SELECT i, i" + from;
                    case "child" -> " SELECT i + 100" + from;
                    default -> " (id) SELECT i" + from;
                };
    }

    private static void move(String schema, String mode) throws SQLException {
        PostgresNode target = CLUSTER.worker(2);
        CLUSTER.list(
                "SELECT citus_schema_move('%s', '%s', %d, '%s')".formatted(schema, target.host(), target.port(), mode));
    }

    /** Rows and definitions, asked by the attacker himself: whoever else asks calls what he is asked about. */
    private static List<String> describe(String schema) throws SQLException {
        List<String> found = asAttacker("""
                SELECT concat_ws(' ', conrelid::regclass, contypid::regtype, conname, pg_get_constraintdef(oid), convalidated,
                    coninhcount, conislocal)
                FROM pg_constraint WHERE connamespace = '%1$s'::regnamespace AND contype <> 'n'
                UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
                JOIN pg_class c ON c.oid = indrelid AND relnamespace = '%1$s'::regnamespace
                UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc
                WHERE pronamespace = '%1$s'::regnamespace AND prokind = 'f' AND prolang > 16 AND prosrc LIKE '%%BEGIN%%'
                UNION ALL SELECT concat_ws(' ', oid::regclass, relacl, relowner::regrole, pg_get_partkeydef(oid),
                    pg_get_expr(relpartbound, oid)) FROM pg_class WHERE relnamespace = '%1$s'::regnamespace
                UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
                WHERE stxnamespace = '%1$s'::regnamespace
                UNION ALL SELECT 'acl ' || nspacl::text FROM pg_namespace WHERE nspname = '%1$s'
                ORDER BY 1""".formatted(schema));
        for (String table : NAMES) {
            found.addAll(asAttacker(
                    "SELECT '%2$s' || count(*) || md5(string_agg(t::text, '|' ORDER BY id))".formatted(schema, table)
                            + " FROM ONLY %s.%s t".formatted(schema, table.equals("parted") ? "part1" : table)));
        }
        return found;
    }

    /** What was run while something was called with a superuser's rights. */
    private static List<String> stolen() throws IOException {
        List<String> queries = new ArrayList<>();
        try (Stream<Path> files = Files.list(stolen)) {
            for (Path file : files.toList()) {
                queries.add(file.getFileName() + ": " + Files.readString(file));
            }
        }
        return queries;
    }

    private static void assertNothingStolen() throws SQLException, IOException {
        assertThat(stolen()).isEmpty();
        for (PostgresNode node : CLUSTER.nodes()) {
            assertThat(node.list("SELECT rolsuper FROM pg_roles WHERE rolname = '" + ATTACKER + "'"))
                    .as(node.name())
                    .containsExactly("f");
        }
        for (PostgresNode worker : CLUSTER.workers()) {
            assertThat(worker.list("SELECT DISTINCT way || ' ' || c.caller FROM public.rights_calls c"
                            + " WHERE caller IN (SELECT rolname FROM pg_roles WHERE rolsuper)"))
                    .as("called with the rights of a superuser")
                    .isEmpty();
        }
        MoveTraces.assertNone(CLUSTER);
    }
}
