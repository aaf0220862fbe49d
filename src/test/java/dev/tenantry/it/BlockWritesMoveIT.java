package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FirstColumn;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;

/** Moves in mode block_writes, between nodes that could not make others: writers wait, readers go on. */
class BlockWritesMoveIT {

    private static @Nullable Cluster started;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger written = new AtomicInteger();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    @BeforeAll
    static void start() throws SQLException {
        Cluster cluster = Cluster.start(2);
        started = cluster;
        for (PostgresNode worker : cluster.workers()) {
            worker.list("ALTER SYSTEM SET wal_level = 'replica'");
            worker.restart();
        }
    }

    @AfterAll
    static void stop() {
        if (started != null) {
            started.close();
        }
    }

    @AfterEach
    void unobserve() {
        cluster().observeMoves(MovePoint.Observer.NONE);
    }

    @Test
    void movesUnderLoadWhatLogicalReplicationCouldNot() throws Exception {
        create("held");
        cluster().list("""
                CREATE TABLE held.odd (a int, b json);
                INSERT INTO held.odd SELECT i, '{"a": 1}' FROM generate_series(1, 1000) i;
                CREATE UNLOGGED TABLE held.volatile AS SELECT generate_series(1, 1000) AS id;
                CREATE TABLE held.part (a int PRIMARY KEY) PARTITION BY RANGE (a);
                CREATE TABLE held.part1 PARTITION OF held.part FOR VALUES FROM (0) TO (10);
                INSERT INTO held.part VALUES (1), (2)""");
        assertThatThrownBy(() -> move("held", 2, "auto"))
                .isInstanceOf(PSQLException.class)
                .hasMessageContaining("wal_level of node \"worker1\" is not logical")
                .hasMessageContaining("block_writes")
                .extracting(failed -> ((SQLException) failed).getSQLState())
                .isEqualTo("55000");
        List<Thread> writers = new ArrayList<>();
        for (boolean inBlocks : List.of(false, true)) {
            writers.add(Thread.ofPlatform().start(() -> write(inBlocks)));
        }
        AtomicInteger before = new AtomicInteger();
        cluster().observeMoves(reached -> {
            if (reached == MovePoint.DEFINITION_CREATED) {
                before.set(written.get());
            } else if (reached == MovePoint.VERIFIED) {
                look(before.get());
            }
        });
        try {
            for (int to : List.of(2, 1)) {
                int sofar = written.get();
                Eventually.passes(() -> assertThat(written.get()).isGreaterThan(sofar + 20));
                move("held", to, "block_writes");
            }
            int sofar = written.get();
            Eventually.passes(() -> assertThat(written.get()).isGreaterThan(sofar + 20));
        } finally {
            stop.set(true);
            for (Thread writer : writers) {
                writer.join();
            }
        }
        assertThat(failures).isEmpty();
        assertThat(cluster().list("SELECT count(*) || '/' || count(DISTINCT id) FROM held.t"))
                .containsExactly(written + "/" + written);
        assertThat(cluster()
                        .list("SELECT (SELECT count(*) FROM held.odd) + (SELECT count(*) FROM held.volatile)"
                                + " + (SELECT sum(a) FROM held.part1)"))
                .containsExactly("2003");
        assertNothingLeft();
    }

    /** While the schema is copied: who reads goes on, in a READ ONLY block too, and nothing was written. */
    private void look(int before) {
        try (Connection client = cluster().connect();
                Statement statement = client.createStatement()) {
            assertThat(FirstColumn.of(statement, "SELECT count(*) FROM held.odd"))
                    .containsExactly("1000");
            assertThat(FirstColumn.of(statement, "SELECT a FROM held.part WHERE a = 2 FOR UPDATE"))
                    .containsExactly("2");
            client.setReadOnly(true);
            client.setAutoCommit(false);
            assertThat(FirstColumn.of(statement, "SELECT count(*) FROM held.volatile"))
                    .containsExactly("1000");
            client.commit();
            // What was on its way is counted a little later.
            assertThat(written.get()).isLessThanOrEqualTo(before + 2);
            assertThat(cluster().coordinator().list("SELECT held FROM tenantry.tenantry_pauses"))
                    .containsExactly("writers");
        } catch (SQLException | AssertionError failed) {
            failures.add(failed);
        }
    }

    @Test
    void cancelsWhoWritesWhereNoProxyCanSeeIt() throws Exception {
        create("unseen");
        cluster()
                .list("CREATE FUNCTION unseen.add(int) RETURNS int LANGUAGE sql AS"
                        + " 'INSERT INTO unseen.t VALUES ($1) RETURNING id'");
        AtomicReference<CompletableFuture<String>> writer = new AtomicReference<>();
        cluster().observeMoves(reached -> {
            if (reached == MovePoint.COPIED && writer.get() == null) {
                writer.set(CompletableFuture.supplyAsync(() -> sqlState("SELECT unseen.add(1)")));
                Eventually.passes(
                        () -> assertThat(cluster().worker(1).list("SELECT pid FROM pg_locks WHERE NOT granted"))
                                .hasSize(1));
            }
        });
        move("unseen", 2, "block_writes");
        assertThat(writer.get().get()).isEqualTo("57014");
        assertThat(cluster().list("SELECT count(*) FROM unseen.t")).containsExactly("0");
        assertThat(cluster().list("SELECT unseen.add(2)")).containsExactly("2");
        assertNothingLeft();
    }

    @Test
    void waitsForWritersInBlocksAndGoesOnWithTheOthers() throws Exception {
        create("busy");
        try (Connection client = cluster().connect();
                Statement statement = client.createStatement()) {
            client.setAutoCommit(false);
            statement.execute("INSERT INTO busy.t VALUES (1)");
            CompletableFuture<Void> moved = CompletableFuture.runAsync(() -> {
                try {
                    move("busy", 2, "block_writes");
                } catch (SQLException failed) {
                    throw new IllegalStateException(failed);
                }
            });
            Eventually.passes(() -> assertThat(cluster()
                            .list("SELECT cardinality(waiting_for) > 0 FROM tenantry_moves"
                                    + " WHERE schema_name = 'busy'"))
                    .containsExactly("t"));
            cluster().list("INSERT INTO busy.t VALUES (2)");
            statement.execute("INSERT INTO busy.t VALUES (3)");
            client.commit();
            moved.get();
        }
        assertThat(cluster().list("SELECT sum(id) FROM busy.t")).containsExactly("6");
        assertNothingLeft();
    }

    private void write(boolean inBlocks) {
        try (Connection client = cluster().connect();
                Statement statement = client.createStatement()) {
            client.setAutoCommit(!inBlocks);
            while (!stop.get()) {
                statement.execute("INSERT INTO held.t DEFAULT VALUES");
                if (inBlocks) {
                    client.commit();
                }
                written.incrementAndGet();
            }
        } catch (SQLException failed) {
            failures.add(failed);
        }
    }

    private static void create(String schema) throws SQLException {
        cluster().list("SET tenantry.node = 'worker1'; CREATE SCHEMA " + schema);
        cluster().list("CREATE TABLE " + schema + ".t (id serial PRIMARY KEY, at timestamptz DEFAULT now())");
    }

    private static void move(String schema, int worker, String mode) throws SQLException {
        PostgresNode target = cluster().worker(worker);
        cluster()
                .list("SELECT citus_schema_move('%s', '%s', %d, '%s')"
                        .formatted(schema, target.host(), target.port(), mode));
    }

    private static String sqlState(String sql) {
        try {
            cluster().list(sql);
            return "";
        } catch (SQLException refused) {
            return refused.getSQLState();
        }
    }

    private static void assertNothingLeft() throws SQLException {
        assertThat(cluster().coordinator().list("SELECT pauseid FROM tenantry.pause"))
                .isEmpty();
        for (PostgresNode node : cluster().nodes()) {
            Eventually.passes(() -> {
                assertThat(node.list("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenantry\\_%'"))
                        .isEmpty();
                assertThat(node.list("SELECT deed FROM tenantry.move_deed")).isEmpty();
                assertThat(node.list("SELECT gid FROM pg_prepared_xacts")).isEmpty();
            });
        }
    }

    private static Cluster cluster() {
        Cluster cluster = started;
        if (cluster == null) {
            throw new IllegalStateException("not started");
        }
        return cluster;
    }
}
