package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A schema moves to and fro while clients write to it: none sees an error, and every confirmed write is there once. */
class MoveUnderLoadIT {

    private static final Cluster CLUSTER = Cluster.shared();
    private static final int CLIENTS = 4;
    private static final int ACCOUNTS = 100;
    private static final int MOVES = 4;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLong confirmed = new AtomicLong();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    @BeforeEach
    void create() throws SQLException {
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            statement.execute("DROP SCHEMA IF EXISTS loaded CASCADE");
            statement.execute("SET tenantry.node = 'worker1'");
            statement.execute("CREATE SCHEMA loaded");
            statement.execute("""
                    CREATE TABLE loaded.account (id int PRIMARY KEY, balance bigint NOT NULL, filler text);
                    CREATE INDEX ON loaded.account (balance);
                    CREATE TABLE loaded.history (id bigserial PRIMARY KEY,
                        account int NOT NULL REFERENCES loaded.account, delta bigint NOT NULL);
                    CREATE TABLE loaded.keyless (account int, delta bigint);
                    """);
            statement.execute("INSERT INTO loaded.account SELECT i, 0, repeat('x', 500) FROM generate_series(1, "
                    + ACCOUNTS + ") i");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"&preferQueryMode=simple", "&prepareThreshold=0", "&prepareThreshold=1"})
    void writersSeeNoErrorAndLoseNothing(String mode) throws Exception {
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            int number = i;
            clients.add(Thread.ofPlatform().start(() -> write(number, mode)));
        }
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            for (int i = 0; i < MOVES; i++) {
                long before = confirmed.get();
                Eventually.passes(() -> assertThat(confirmed.get()).isGreaterThan(before + 20));
                var target = CLUSTER.worker(i % 2 == 0 ? 2 : 1);
                statement.execute("SELECT citus_schema_move('loaded', '" + target.host() + "', " + target.port() + ")");
            }
            long before = confirmed.get();
            Eventually.passes(() -> assertThat(confirmed.get()).isGreaterThan(before + 20));
        } finally {
            stop.set(true);
            for (Thread thread : clients) {
                thread.join();
            }
        }
        assertThat(failures).isEmpty();
        try (Connection client = CLUSTER.connect();
                Statement statement = client.createStatement()) {
            String done = Long.toString(confirmed.get());
            assertThat(List.of(
                            value(statement, "SELECT sum(balance) FROM loaded.account"),
                            value(statement, "SELECT count(*) FROM loaded.history"),
                            value(statement, "SELECT sum(delta) FROM loaded.keyless")))
                    .containsExactly(done, done, done);
        }
    }

    private void write(int number, String mode) {
        try (Connection client = DriverManager.getConnection(CLUSTER.jdbcUrl() + mode)) {
            client.setSchema("loaded");
            client.setAutoCommit(false);
            try (PreparedStatement update =
                            client.prepareStatement("UPDATE account SET balance = balance + 1 WHERE id = ?");
                    PreparedStatement history =
                            client.prepareStatement("INSERT INTO history (account, delta) VALUES (?, 1)");
                    PreparedStatement keyless = client.prepareStatement("INSERT INTO keyless VALUES (?, 1)")) {
                List<PreparedStatement> statements = List.of(update, history, keyless);
                for (int i = number; !stop.get(); i += CLIENTS) {
                    int account = 1 + i % ACCOUNTS;
                    // Locks come in one order and in the other.
                    for (PreparedStatement statement : number % 2 == 0 ? statements : statements.reversed()) {
                        statement.setInt(1, account);
                        assertThat(statement.executeUpdate()).isEqualTo(1);
                    }
                    client.commit();
                    confirmed.incrementAndGet();
                }
            }
        } catch (SQLException | RuntimeException | AssertionError failed) {
            failures.add(failed);
        }
    }

    private static String value(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
