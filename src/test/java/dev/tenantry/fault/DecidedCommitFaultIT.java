package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node loses a session's connection when the commit of two nodes is decided and it is not told yet. Who is told
 * that it has committed finds on all nodes what was written.
 */
class DecidedCommitFaultIT {
    private static final String BACKEND_OF_THE_SESSION = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            + " WHERE application_name = 'decided' AND pid <> pg_backend_pid()";

    private static final Cluster CLUSTER = Cluster.start(2);

    @BeforeAll
    static void create() throws SQLException {
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("CREATE ROLE writer");
            statement.execute("CREATE ROLE plain LOGIN PASSWORD 'tenantry' IN ROLE writer");
            for (int i = 1; i <= 2; i++) {
                statement.execute("SET tenantry.node = 'worker" + i + "'");
                statement.execute("CREATE SCHEMA decided_" + i + " AUTHORIZATION writer");
                statement.execute("CREATE TABLE decided_" + i + ".t (id text)");
                statement.execute("ALTER TABLE decided_" + i + ".t OWNER TO writer");
            }
        }
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SET ROLE writer", "SET LOCAL ROLE writer"})
    void writesAreThereWhenCommitIsAnswered(String role) throws Exception {
        try (ProxyServer server = CLUSTER.anotherProxy(on(() -> terminate(CLUSTER.worker(1))));
                Connection client = connect(server, "plain");
                Statement statement = client.createStatement()) {
            write(statement, role);
            statement.execute("COMMIT");
            assertThat(rows(1, role)).isEqualTo(1);
            assertThat(rows(2, role)).isEqualTo(1);
            assertThat(prepared(1)).isZero();
            assertThat((Object) statement.getWarnings()).isNull();
        }
    }

    @Test
    void saysThatAPartComesLaterWhenItsNodeStaysAway() throws Exception {
        PostgresNode node = CLUSTER.worker(1);
        try (ProxyServer server = CLUSTER.anotherProxy(on(node::kill))) {
            try (Connection client = connect(server, "tenantry");
                    Statement statement = client.createStatement()) {
                write(statement, "RESET ROLE");
                statement.execute("COMMIT");
                assertThat(statement.getWarnings().getSQLState()).isEqualTo("01000");
                assertThat(statement.getWarnings().getMessage())
                        .contains("a part of the transaction is committed later");
            }
        } finally {
            node.restart();
        }
        Eventually.passes(() -> {
            assertThat(rows(1, "RESET ROLE")).isEqualTo(1);
            assertThat(prepared(1)).isZero();
        });
    }

    @Test
    void writersDoNotWaitLongForAPartWhoseDeciderLostItsConnection() throws Exception {
        try (Connection holder = CLUSTER.worker(2).connect();
                Statement holding = holder.createStatement();
                Connection client = DriverManager.getConnection(CLUSTER.jdbcUrl() + "&ApplicationName=decided");
                Statement statement = client.createStatement();
                Connection writer = CLUSTER.worker(1).connect();
                Statement waiting = writer.createStatement()) {
            statement.execute("CREATE FUNCTION decided_2.hold() RETURNS trigger LANGUAGE plpgsql"
                    + " AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'");
            statement.execute("CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON decided_2.t INITIALLY DEFERRED"
                    + " FOR EACH ROW EXECUTE FUNCTION decided_2.hold()");
            holding.execute("SELECT pg_advisory_lock(1)"); // so that its COMMIT takes its time
            write(statement, "SET LOCAL ROLE NONE");
            CompletableFuture<Void> committed =
                    CompletableFuture.runAsync(() -> assertThatThrownBy(() -> statement.execute("COMMIT"))
                            .isInstanceOfSatisfying(
                                    SQLException.class,
                                    error -> assertThat(error.getSQLState()).isEqualTo("08007")));
            Eventually.passes(
                    () -> assertThat(count(2, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"))
                            .isEqualTo(1));
            assertThat(prepared(1)).isEqualTo(1);
            waiting.execute("SET lock_timeout = '2s'");
            terminate(CLUSTER.worker(2));
            waiting.execute("DO 'BEGIN LOCK TABLE decided_1.t IN EXCLUSIVE MODE; END'");
            committed.get(10, TimeUnit.SECONDS);
            assertThat(rows(1, "SET LOCAL ROLE NONE")).isZero();
        } finally {
            try (Connection client = CLUSTER.connect();
                    Statement statement = client.createStatement()) {
                statement.execute("DROP FUNCTION IF EXISTS decided_2.hold() CASCADE");
            }
        }
    }

    private static DistributedEnd.Observer on(Runnable death) {
        return reached -> {
            if (reached == Point.AFTER_DECISION) {
                death.run();
            }
        };
    }

    private static void terminate(PostgresNode node) {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(BACKEND_OF_THE_SESSION);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static void write(Statement statement, String role) throws SQLException {
        statement.execute("BEGIN");
        statement.execute(role.isEmpty() ? "SET ROLE NONE" : role);
        statement.execute("INSERT INTO decided_1.t VALUES ('" + role + "')");
        statement.execute("INSERT INTO decided_2.t VALUES ('" + role + "')");
    }

    private static Connection connect(ProxyServer server, String user) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:"
                + server.address().getPort() + "/tenantry?user=" + user
                + "&password=tenantry&socketTimeout=20&ApplicationName=decided");
    }

    private static int rows(int worker, String role) throws SQLException {
        return count(worker, "SELECT count(*) FROM decided_" + worker + ".t WHERE id = '" + role + "'");
    }

    private static int prepared(int worker) throws SQLException {
        return count(worker, "SELECT count(*) FROM pg_prepared_xacts");
    }

    private static int count(int worker, String sql) throws SQLException {
        try (Connection connection = CLUSTER.worker(worker).connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
