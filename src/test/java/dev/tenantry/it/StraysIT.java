package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing that a client makes outside of distributed schemas is left on a worker, where nobody would find it. */
class StraysIT {
    private static final String MADE = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            + " UNION ALL SELECT proname FROM pg_proc"
            + " WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'stray%'";

    private final Cluster cluster = Cluster.shared();
    private List<String> there = List.of();

    @BeforeEach
    void create() throws SQLException {
        there = cluster.worker(1).list(MADE); // by tests that connect to the worker itself
        run(
                "DROP SCHEMA IF EXISTS strays CASCADE",
                "SET tenantry.node = 'worker1'",
                "CREATE SCHEMA strays",
                "CREATE TABLE strays.src AS SELECT 1 AS x");
    }

    @AfterEach
    void drop() throws SQLException {
        run("DROP SCHEMA strays CASCADE");
    }

    private List<String> made() throws SQLException {
        return cluster.worker(1).list(MADE).stream()
                .filter(name -> !there.contains(name))
                .toList();
    }

    private void run(String... statements) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE TABLE stray AS SELECT * FROM strays.src",
                "CREATE TABLE public.stray AS SELECT * FROM strays.src",
                "SELECT * INTO stray FROM strays.src",
                "CREATE VIEW public.stray AS SELECT * FROM strays.src",
                "CREATE FUNCTION stray() RETURNS SETOF strays.src LANGUAGE sql AS 'SELECT * FROM strays.src'",
                "ALTER TABLE strays.src SET SCHEMA public",
                "CREATE TYPE stray AS (one strays.src)",
                "SET search_path = public, strays; CREATE TABLE stray ()",
                "BEGIN; SELECT * FROM strays.src; DO 'BEGIN CREATE TABLE public.stray (); END'; COMMIT"
            })
    void refusesWhatWouldBeMadeInPublic(String sql) throws SQLException {
        assertThatThrownBy(() -> run(sql))
                .hasMessageContaining(" on this node")
                .satisfies(thrown ->
                        assertThat(((SQLException) thrown).getSQLState()).isEqualTo("0A000"));
        assertThat(made()).isEmpty();
        assertThat(cluster.list("SELECT x FROM strays.src")).containsExactly("1");
    }

    @Test
    void leavesAloneWhatIsNone() throws SQLException {
        run(
                "SET search_path = strays, public",
                "CREATE TABLE kept AS SELECT * FROM src",
                "CREATE TEMP TABLE passing AS SELECT * FROM strays.src",
                "CREATE INDEX kept_x ON strays.kept (x)",
                "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
                "CREATE TRIGGER counts BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION counted()",
                "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public",
                "ALTER TABLE kept ADD COLUMN folded citext",
                "DROP TABLE kept",
                "DROP EXTENSION citext");
        assertThat(made()).isEmpty();
    }

    @Test
    void letsWhoConnectsToTheNodeItselfMakeWhatHeLikes() throws SQLException {
        try (Connection direct = cluster.worker(1).connect();
                Statement statement = direct.createStatement()) {
            statement.execute("CREATE TABLE public.own ()");
            assertThat(made()).containsExactly("own");
            statement.execute("DROP TABLE public.own");
        }
    }

    @Test
    void makesThemOnTheCoordinatorWhereNothingElseIsNamed() throws SQLException {
        run(
                "CREATE TABLE stray ()",
                "CREATE VIEW public.stray_view AS SELECT * FROM stray",
                "DROP TABLE stray CASCADE");
        assertThat(made()).isEmpty();
    }
}
