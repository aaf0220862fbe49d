package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FirstColumn;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;

/** Moves in mode block_writes, between nodes that could not make others: writers wait, readers go on. */
class BlockWritesMoveIT {

    private static Cluster cluster;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger written = new AtomicInteger();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    @BeforeAll
    static void start() throws SQLException {
        cluster = Cluster.start(2);
        for (PostgresNode worker : cluster.workers()) {
            worker.list("ALTER SYSTEM SET wal_level = 'replica'");
            worker.restart();
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void unobserve() {
        cluster.observeMoves(MovePoint.Observer.NONE);
    }

    @Test
    void movesUnderLoadWhatLogicalReplicationCouldNot() throws Exception {
        create("held");
        cluster.list("""
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
        cluster.observeMoves(reached -> {
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
        assertThat(cluster.list("SELECT count(*) || '/' || count(DISTINCT id) FROM held.t"))
                .containsExactly(written + "/" + written);
        assertThat(cluster.list("SELECT (SELECT count(*) FROM held.odd) + (SELECT count(*) FROM held.volatile)"
                        + " + (SELECT sum(a) FROM held.part1)"))
                .containsExactly("2003");
        assertNothingLeft();
    }

    /** While the schema is copied: who reads goes on, in a READ ONLY block too, and nothing was written. */
    private void look(int before) {
        try (Connection client = cluster.connect();
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
            assertThat(cluster.coordinator().list("SELECT held FROM tenantry.tenantry_pauses"))
                    .containsExactly("writers");
        } catch (SQLException | AssertionError failed) {
            failures.add(failed);
        }
    }

    @Test
    void holdsWhoMayWriteInAFunctionAndCancelsWhoWritesPastTheProxies() throws Exception {
        create("unseen");
        cluster.list("CREATE FUNCTION unseen.add(int) RETURNS int LANGUAGE sql AS"
                + " 'INSERT INTO unseen.t VALUES ($1) RETURNING id'");
        AtomicReference<CompletableFuture<String>> past = new AtomicReference<>();
        AtomicReference<CompletableFuture<String>> waiting = new AtomicReference<>();
        cluster.observeMoves(reached -> {
            if (reached == MovePoint.COPIED && past.get() == null) {
                past.set(later(() -> sqlState(cluster.worker(1)::list, "SELECT unseen.add(1)")));
                waiting.set(later(() -> sqlState(cluster::list, "SELECT unseen.add(2)")));
                Eventually.passes(() -> {
                    assertThat(cluster.worker(1).list("SELECT pid FROM pg_locks WHERE NOT granted"))
                            .hasSize(1);
                    assertThat(waiters()).isEqualTo(1);
                });
            }
        });
        move("unseen", 2, "block_writes");
        assertThat(past.get().get()).isEqualTo("57014");
        assertThat(waiting.get().get()).isEmpty();
        assertThat(cluster.list("SELECT id FROM unseen.t")).containsExactly("2");
        assertNothingLeft();
    }

    @Test
    void outlastsTimeoutsOfTransactions() throws Exception {
        assumeThat(cluster.worker(1).list("SELECT name FROM pg_settings WHERE name = 'transaction_timeout'"))
                .as("from PostgreSQL 17 on")
                .isNotEmpty();
        create("lasting");
        cluster.worker(1).list("ALTER SYSTEM SET transaction_timeout = '500ms'");
        cluster.worker(1).list("SELECT pg_reload_conf()");
        AtomicInteger copies = new AtomicInteger();
        cluster.observeMoves(reached -> {
            if (reached == MovePoint.COPIED && copies.incrementAndGet() == 1) {
                Eventually.passes(() -> assertThat(cluster.worker(1)
                                .list("SELECT clock_timestamp() - now() FROM pg_locks l"
                                        + " JOIN pg_stat_activity a USING (pid)"
                                        + " WHERE l.mode = 'ShareRowExclusiveLock' AND l.granted"
                                        + " AND clock_timestamp() - a.xact_start > interval '1 s'"))
                        .isNotEmpty());
            }
        });
        try {
            move("lasting", 2, "block_writes");
        } finally {
            cluster.worker(1).list("ALTER SYSTEM RESET transaction_timeout");
            cluster.worker(1).list("SELECT pg_reload_conf()");
        }
        assertThat(copies).hasValue(1);
    }

    @Test
    void givesUpWhenItsLocksAreLostAgainAndAgain() throws Exception {
        create("lossy");
        cluster.observeMoves(reached -> {
            if (reached == MovePoint.COPIED) {
                listUnchecked(cluster.coordinator(), "UPDATE tenantry.move SET attempt = attempt + 4");
                listUnchecked(
                        cluster.worker(1),
                        "SELECT pg_terminate_backend(pid) FROM pg_locks"
                                + " WHERE mode = 'ShareRowExclusiveLock' AND granted");
            }
        });
        assertThatThrownBy(() -> move("lossy", 2, "block_writes"))
                .isInstanceOf(PSQLException.class)
                .hasMessageContaining("schema lossy cannot be moved: its locks were lost 5 times");
        assertThat(cluster.list("INSERT INTO lossy.t DEFAULT VALUES RETURNING id"))
                .containsExactly("1");
        assertNothingLeft();
    }

    @Test
    void losesNothingOfATableThatComesJustAfterTheLocks() throws Exception {
        create("late");
        AtomicBoolean made = new AtomicBoolean();
        AtomicReference<String> written = new AtomicReference<>("");
        cluster.observeMoves(reached -> {
            if (reached == MovePoint.LOCKED && made.compareAndSet(false, true)) {
                listUnchecked(cluster.worker(1), "CREATE TABLE late.more (id int)");
            } else if (reached == MovePoint.VERIFIED) {
                written.set(sqlState(
                        cluster.worker(1)::list, "SET lock_timeout = '100ms'; INSERT INTO late.more VALUES (1)"));
            }
        });
        move("late", 2, "block_writes");
        assertThat(written).hasValue("55P03");
        assertThat(cluster.list("SELECT count(*) FROM late.more")).containsExactly("0");
        assertNothingLeft();
    }

    @Test
    void holdsWritersBehindReadersOfTheirBatch() throws Exception {
        create("batched");
        cluster.list("INSERT INTO batched.t VALUES (1)");
        try (RawClient client = cluster.login()) {
            AtomicBoolean sent = new AtomicBoolean();
            cluster.observeMoves(reached -> {
                if (reached == MovePoint.COPIED && sent.compareAndSet(false, true)) {
                    for (String sql : List.of(
                            "SELECT id FROM batched.t", "INSERT INTO batched.t VALUES (2)", "TABLE batched.t")) {
                        client.parse("", sql).bind("", "").execute("", 0);
                    }
                    client.sync().flushOut();
                    Eventually.passes(() -> assertThat(waiters()).isEqualTo(1));
                }
            });
            move("batched", 2, "block_writes");
            List<Message> answer = client.readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("12DC12C12DDCZ");
        }
        assertNothingLeft();
    }

    /** Each attempt to cut over is another pause. */
    @Test
    void countsTheTimeOfPausesThatFollowEachOther() throws Exception {
        create("impatient");
        try (ProxyServer proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPauseWait(1_000), point -> {});
                RawClient client =
                        SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), Map.of())) {
            pause("INSERT INTO tenantry.pause (schemaid, held) VALUES ('impatient'::regnamespace, 'writers')");
            client.query("INSERT INTO impatient.t VALUES (1)").flushOut();
            Eventually.passes(() -> {
                pause("INSERT INTO tenantry.pause (schemaid, held) VALUES ('impatient'::regnamespace, 'writers')");
                assertThat(client.hasInput()).isTrue();
            });
            assertThat(Message.only(client.readUntilReady(), 'E').sqlState()).isEqualTo("55P03");
        } finally {
            pause("SELECT");
        }
        assertThat(cluster.list("SELECT count(*) FROM impatient.t")).containsExactly("0");
    }

    /** Ends the pauses that there are and begins another, all at once. */
    private static void pause(String how) throws SQLException {
        cluster.coordinator().list("DELETE FROM tenantry.pause; " + how + "; SELECT tenantry.catalog_changed()");
        cluster.tenantry().catalog().refresh();
    }

    private static void listUnchecked(PostgresNode node, String sql) {
        try {
            node.list(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @Test
    void waitsForWritersInBlocksAndGoesOnWithTheOthers() throws Exception {
        create("busy");
        try (Connection client = cluster.connect();
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
            Eventually.passes(() -> assertThat(cluster.list(
                            "SELECT cardinality(waiting_for) > 0 FROM tenantry_moves" + " WHERE schema_name = 'busy'"))
                    .containsExactly("t"));
            cluster.list("INSERT INTO busy.t VALUES (2)");
            statement.execute("INSERT INTO busy.t VALUES (3)");
            client.commit();
            moved.get();
        }
        assertThat(cluster.list("SELECT sum(id) FROM busy.t")).containsExactly("6");
        assertNothingLeft();
    }

    private void write(boolean inBlocks) {
        try (Connection client = cluster.connect();
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
        cluster.list("SET tenantry.node = 'worker1'; CREATE SCHEMA " + schema);
        cluster.list("CREATE TABLE " + schema + ".t (id serial PRIMARY KEY, at timestamptz DEFAULT now())");
    }

    private static void move(String schema, int worker, String mode) throws SQLException {
        PostgresNode target = cluster.worker(worker);
        cluster.list(
                "SELECT citus_schema_move('%s', '%s', %d, '%s')".formatted(schema, target.host(), target.port(), mode));
    }

    private static <T> CompletableFuture<T> later(Supplier<T> action) {
        return CompletableFuture.supplyAsync(action, task -> Thread.ofPlatform().start(task));
    }

    private static double waiters() {
        return cluster.meters().get("tenantry.pause.waiters").gauge().value();
    }

    private interface Runner {
        List<String> run(String sql) throws SQLException;
    }

    private static String sqlState(Runner at, String sql) {
        try {
            at.run(sql);
            return "";
        } catch (SQLException refused) {
            return refused.getSQLState();
        }
    }

    private static void assertNothingLeft() throws SQLException {
        assertThat(cluster.coordinator().list("SELECT pauseid FROM tenantry.pause"))
                .isEmpty();
        for (PostgresNode node : cluster.nodes()) {
            Eventually.passes(() -> {
                assertThat(node.list("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenantry\\_%'"))
                        .isEmpty();
                assertThat(node.list("SELECT deed FROM tenantry.move_deed")).isEmpty();
                assertThat(node.list("SELECT gid FROM pg_prepared_xacts")).isEmpty();
            });
        }
    }
}
