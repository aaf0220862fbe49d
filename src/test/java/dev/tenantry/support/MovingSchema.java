package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** The schema {@code acme} of a cluster with two workers, which a test moves to and fro. */
public final class MovingSchema {

    private final Cluster cluster;

    public MovingSchema(Cluster cluster) {
        this.cluster = cluster;
    }

    /** What a test does in the middle of a move. */
    public interface Step {
        void run() throws SQLException;
    }

    /** Does something when a move first gets to that point, which then waits for it. */
    public void onceAt(MovePoint point, Step step) {
        AtomicBoolean once = new AtomicBoolean();
        cluster.observeMoves(reached -> {
            if (reached == point && once.compareAndSet(false, true)) {
                apart(step);
            }
        });
    }

    /** Waits for something done on a thread of its own; that of a move is interrupted by what takes its sense away. */
    public static void apart(Step step) {
        CompletableFuture.runAsync(
                        () -> {
                            try {
                                step.run();
                            } catch (SQLException failed) {
                                throw new IllegalStateException(failed);
                            }
                        },
                        task -> Thread.ofPlatform().start(task))
                .join();
    }

    /** Begins to move it; the move's id. */
    public long startMove(int worker) {
        return startMove(cluster.worker(worker));
    }

    /** Begins to move it; the move's id. */
    public long startMove(PostgresNode target) {
        return Long.parseLong(
                value("SELECT tenantry_move_start('acme', '" + target.host() + "', " + target.port() + ")"));
    }

    /** How far a move is. */
    public String phase(long move) {
        return value("SELECT phase FROM tenantry_moves WHERE moveid = " + move);
    }

    /** It is on this worker, and nothing of it or of a move on the other. */
    public void assertOn(int worker) {
        assertThat(copies(cluster.worker(worker))).isEqualTo("1");
        assertThat(copies(cluster.worker(3 - worker))).isEqualTo("0");
    }

    /** How many copies of it a node has, old ones too. */
    public String copies(PostgresNode node) {
        try (Connection connection = node.connect()) {
            return value(connection, "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(acme|tenantry_)'");
        } catch (SQLException failed) {
            throw new IllegalStateException(failed.getMessage(), failed);
        }
    }

    /** Runs statements, which semicolon and space divide, in a session of their own. */
    public void run(String sql) {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            for (String part : sql.split("; ", -1)) {
                statement.execute(part);
            }
        } catch (SQLException failed) {
            throw new IllegalStateException(failed.getMessage(), failed);
        }
    }

    /** The first value of what a query returns in a session of its own. */
    public String value(String sql) {
        try (Connection client = cluster.connect()) {
            return value(client, sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed.getMessage(), failed);
        }
    }

    private static String value(Connection client, String sql) throws SQLException {
        try (Statement statement = client.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
