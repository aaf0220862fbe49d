package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Schemas whose functions try, whenever and wherever they are called, to make their owner a superuser, to write a file
 * of the server, which works in transactions that are read-only too, and to note whose rights they have.
 */
final class RightsAttacks implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

    static final Cluster CLUSTER = Cluster.shared();
    static final String ATTACKER = "rights_attacker";

    private static final Path FOLDER = Path.of(System.getProperty("java.io.tmpdir"))
            .resolve("tenantry-rights-" + ProcessHandle.current().pid());

    private static boolean armed;

    /** {@code s} is the schema; functions that are immutable may not write themselves, but call those that do. */
    static final String FUNCTIONS = """
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

    @Override
    public void beforeAll(ExtensionContext context) throws SQLException, IOException {
        Files.createDirectory(FOLDER);
        Files.setPosixFilePermissions(FOLDER, PosixFilePermissions.fromString("rwxrwxrwx"));
        if (armed) {
            return; // the cluster is shared
        }
        armed = true;
        CLUSTER.list("CREATE ROLE " + ATTACKER + " LOGIN PASSWORD 'rights'");
        for (PostgresNode worker : CLUSTER.workers()) {
            worker.list("CREATE TABLE public.rights_calls (way text, caller name);"
                    + " GRANT INSERT ON public.rights_calls TO PUBLIC;"
                    + " CREATE FUNCTION public.rights_passes(int) RETURNS boolean LANGUAGE sql IMMUTABLE"
                    + " AS 'SELECT true';"
                    + " ALTER FUNCTION public.rights_passes(int) OWNER TO " + ATTACKER
                    + "; CREATE DOMAIN public.rights_dom AS int CHECK (public.rights_passes(VALUE))");
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        CLUSTER.observeMoves(MovePoint.Observer.NONE);
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        for (Path file : files()) {
            Files.delete(file);
        }
        Files.delete(FOLDER);
    }

    static void assertRefused(String schema, String why) {
        assertThatThrownBy(() -> move(schema, "auto"))
                .isInstanceOf(SQLException.class)
                .hasMessageMatching("(?s).*functions would be called with a superuser's rights (" + why + ").*")
                .extracting(failed -> ((SQLException) failed).getSQLState())
                .isEqualTo("0A000");
    }

    /** He has had nothing yet but his own rights. */
    static void disarm() throws SQLException, IOException {
        assertThat(stolen()).isEmpty();
        for (PostgresNode worker : CLUSTER.workers()) {
            worker.list("DELETE FROM public.rights_calls");
        }
    }

    static void createSchema(String schema, List<String> filled, String sql) throws SQLException {
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

    static String of(String schema, String sql) {
        return sql.replaceAll("\\bs\\.", schema + ".").replace("FOLDER", FOLDER.toString());
    }

    static void alter(String schema, String sql) throws SQLException {
        try (Connection attacker = attacker();
                Statement statement = attacker.createStatement()) {
            statement.execute(of(schema, sql));
        }
    }

    /** The attacker alters his schema on a node, past the proxies, when its move first gets to these points. */
    static void meanwhile(String schema, Map<MovePoint, String> steps, PostgresNode node) {
        CLUSTER.observeMoves(point -> {
            String sql = steps.remove(point);
            if (sql != null) {
                MovingSchema.apart(() -> node.list("SET SESSION AUTHORIZATION " + ATTACKER + "; " + of(schema, sql)));
            }
        });
    }

    static Connection attacker() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://" + CLUSTER.host() + ":" + CLUSTER.port()
                + "/tenantry?user=" + ATTACKER + "&password=rights");
    }

    static List<String> asAttacker(String sql) throws SQLException {
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

    static void move(String schema, String mode) throws SQLException {
        PostgresNode target = CLUSTER.worker(2);
        CLUSTER.list(
                "SELECT citus_schema_move('%s', '%s', %d, '%s')".formatted(schema, target.host(), target.port(), mode));
    }

    /** What was run while something was called with a superuser's rights. */
    static List<String> stolen() throws IOException {
        List<String> queries = new ArrayList<>();
        for (Path file : files()) {
            queries.add(file.getFileName() + ": " + Files.readString(file));
        }
        return queries;
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.toList();
        }
    }

    static void assertNothingStolen() throws SQLException, IOException {
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
