package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.Tenantry;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two proxies, each of which hears late what the other has done: a schema is on both its nodes or on none. */
class TwoProxiesDdlIT {

    private static final Cluster CLUSTER = Cluster.shared();
    private static final int ROUNDS = 20;
    private static final int SESSIONS = 4;
    private static final long SEED = 42;

    /** What PostgreSQL says of a schema that is there or is not, and of who was slower than somebody else. */
    private static final Set<String> REFUSALS = Set.of("42P06", "40001", "40P01", "55000", "23505", "XX000");

    private static Tenantry second;

    @BeforeAll
    static void start() throws SQLException {
        second = CLUSTER.another(ProxyLimits.forCores(1));
        CLUSTER.list("CREATE ROLE two_owner");
        CLUSTER.list("GRANT CREATE ON DATABASE tenantry TO two_owner");
    }

    @AfterAll
    static void stop() throws SQLException {
        CLUSTER.list("DROP OWNED BY two_owner");
        CLUSTER.list("DROP ROLE two_owner");
        second.close();
    }

    private static Connection connectToSecond() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:"
                + second.address().getPort() + "/tenantry?user=tenantry&password=tenantry");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DROP SCHEMA %s CASCADE",
                "DROP SCHEMA IF EXISTS %s CASCADE",
                "ALTER SCHEMA %s RENAME TO two_renamed",
                "ALTER SCHEMA %s OWNER TO two_owner",
                "GRANT USAGE ON SCHEMA %s TO two_owner"
            })
    void knowsWhereASchemaIsThatTheOtherHasJustMade(String sql) throws SQLException {
        try (Connection first = CLUSTER.connect();
                Connection other = connectToSecond();
                Statement making = first.createStatement();
                Statement altering = other.createStatement()) {
            for (int round = 0; round < ROUNDS; round++) {
                making.execute("CREATE SCHEMA two_made");
                altering.execute(sql.formatted("two_made"));
                assertAlike("two_made");
                assertAlike("two_renamed");
                making.execute("DROP SCHEMA IF EXISTS two_made, two_renamed");
            }
        }
    }

    /** Whoever comes later waits, and finds nothing to drop. */
    @Test
    void dropsOnceWhatSeveralDropAtOnce() throws Exception {
        List<Connection> connections =
                List.of(CLUSTER.connect(), CLUSTER.connect(), connectToSecond(), connectToSecond());
        try (Connection making = CLUSTER.connect();
                Statement statement = making.createStatement()) {
            for (int round = 0; round < ROUNDS; round++) {
                statement.execute("CREATE SCHEMA two_made CREATE TABLE t (a int)");
                CompletableFuture.allOf(connections.stream()
                                .map(connection -> CompletableFuture.runAsync(() -> drop(connection)))
                                .toArray(CompletableFuture[]::new))
                        .join();
                assertAlike("two_made");
            }
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }

    private static void drop(Connection connection) {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DROP SCHEMA IF EXISTS two_made CASCADE");
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @Test
    void makesNothingInTheEmptyNamespaceOfASchemaThatTheOtherHasJustMade() throws SQLException {
        try (Connection first = CLUSTER.connect();
                Connection other = connectToSecond();
                Statement making = first.createStatement();
                Statement filling = other.createStatement()) {
            for (int round = 0; round < ROUNDS; round++) {
                making.execute("CREATE SCHEMA two_made");
                try {
                    filling.execute("CREATE TABLE two_made.t AS SELECT 1 AS a");
                } catch (SQLException refused) {
                    assertThat(refused.getSQLState()).isEqualTo("40001");
                }
                assertThat(CLUSTER.coordinator()
                                .list("SELECT relname FROM pg_class"
                                        + " WHERE relnamespace = to_regnamespace('two_made')"))
                        .isEmpty();
                making.execute("DROP SCHEMA two_made CASCADE");
            }
        }
    }

    @Test
    void leavesNoHalfOfASchemaThatManyMakeAndDrop() throws Exception {
        Set<String> surprises = new ConcurrentSkipListSet<>();
        List<CompletableFuture<Void>> sessions = new ArrayList<>();
        for (int session = 0; session < SESSIONS; session++) {
            Connection connection = session % 2 == 0 ? CLUSTER.connect() : connectToSecond();
            Random random = new Random(SEED + session);
            sessions.add(CompletableFuture.runAsync(() -> makeAndDrop(connection, random, surprises)));
        }
        CompletableFuture.allOf(sessions.toArray(CompletableFuture[]::new)).join();
        assertThat(surprises).isEmpty();
        for (String name : List.of("two_a", "two_b")) {
            assertAlike(name);
            CLUSTER.list("DROP SCHEMA IF EXISTS " + name + " CASCADE");
        }
    }

    private static void makeAndDrop(Connection connection, Random random, Set<String> surprises) {
        try (connection;
                Statement statement = connection.createStatement()) {
            for (int round = 0; round < 2 * ROUNDS; round++) {
                String name = random.nextBoolean() ? "two_a" : "two_b";
                String sql = random.nextBoolean()
                        ? "CREATE SCHEMA " + name + " CREATE TABLE t (a int)"
                        : "DROP SCHEMA IF EXISTS " + name + " CASCADE";
                try {
                    statement.execute(sql);
                } catch (SQLException refused) {
                    if (!REFUSALS.contains(refused.getSQLState())) {
                        surprises.add(refused.getSQLState() + " " + refused.getMessage());
                    }
                }
            }
        } catch (SQLException failed) {
            surprises.add(failed.getSQLState() + " " + failed.getMessage());
        }
    }

    /** On the coordinator and one worker, with the same owner and privileges, or nowhere. */
    private static void assertAlike(String schema) throws SQLException {
        String query =
                "SELECT nspowner::regrole || ' ' || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = '"
                        + schema + "'";
        List<String> here = CLUSTER.coordinator().list(query);
        List<String> there = new ArrayList<>();
        for (PostgresNode worker : CLUSTER.workers()) {
            there.addAll(worker.list(query));
        }
        assertThat(there).as(schema).isEqualTo(here);
    }
}
