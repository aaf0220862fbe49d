package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.UpkeepLimits;
import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.control.rebalance.RebalanceLimits;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.MoveTraces;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Many schemas that move at the same time, and a schema of many tables. */
class ManyMovesIT {

    private static final int MOVES = 10;
    private static final int ROWS = 2_000;
    /** {@code -Dmove.tables=1000} takes half a minute more. */
    private static final int TABLES = Integer.getInteger("move.tables", 150);

    private static final long TOGETHER_SECONDS = 60;

    private static final ControlLimits LIMITS = new ControlLimits(
            FeedLimits.DEFAULT,
            UpkeepLimits.DEFAULT,
            new MoveLimits(
                    MoveLimits.DEFAULT.cutOverMax(),
                    MoveLimits.DEFAULT.lockMax(),
                    MoveLimits.DEFAULT.catchUpMax(),
                    MoveLimits.DEFAULT.copyConnections(),
                    MOVES,
                    MoveLimits.DEFAULT.keepSource(),
                    MoveLimits.DEFAULT.comparison()),
            RebalanceLimits.DEFAULT);

    private static Cluster cluster;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLongArray confirmed = new AtomicLongArray(MOVES);
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final List<Thread> clients = new ArrayList<>();

    @BeforeAll
    static void start() throws SQLException {
        cluster = Cluster.start(2, TlsSettings.NONE, LIMITS);
        cluster.list("CREATE ROLE many_owner");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void stopClients() throws InterruptedException {
        cluster.observeMoves(MovePoint.Observer.NONE);
        stop.set(true);
        for (Thread client : clients) {
            client.join();
        }
    }

    /** Half of them goes one way and half the other; each has its rows before the first goes on. */
    @Test
    void tenSchemasMoveTogetherWhileEachIsWrittenTo() throws Exception {
        CountDownLatch copied = new CountDownLatch(MOVES);
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED) {
                copied.countDown();
                assertThat(copied.await(TOGETHER_SECONDS, TimeUnit.SECONDS)).isTrue();
            }
        });
        for (int i = 0; i < MOVES; i++) {
            create("many" + i, "worker" + (1 + i % 2), """
                    CREATE TABLE filler (id serial PRIMARY KEY, text text);
                    INSERT INTO filler (text) SELECT repeat('x', 200) FROM generate_series(1, %d);
                    CREATE INDEX ON filler (text);
                    CREATE TABLE total (id int PRIMARY KEY, value bigint NOT NULL);
                    INSERT INTO total VALUES (1, 0);
                    CREATE TABLE history (id bigserial PRIMARY KEY, total int NOT NULL REFERENCES total);
                    CREATE TABLE keyless (value int);
                    CREATE FUNCTION passes(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 > 0; END';
                    CREATE TABLE guarded (value int CHECK (passes(value)));
                    INSERT INTO guarded VALUES (1);
                    ALTER TABLE guarded OWNER TO many_owner""".formatted(ROWS));
            int number = i;
            clients.add(Thread.ofPlatform().start(() -> write(number)));
        }
        awaitWrites();
        for (int i = 0; i < MOVES; i++) {
            PostgresNode target = target(i);
            cluster.list("SELECT tenantry_move_start('many%d', '%s', %d)".formatted(i, target.host(), target.port()));
        }
        Eventually.passes(() -> assertThat(cluster.list(
                        "SELECT phase || coalesce(error, '') FROM tenantry_moves WHERE schema_name ~ '^many'"))
                .hasSize(MOVES)
                .containsOnly("done"));
        awaitWrites();
        stopClients();
        assertThat(failures).isEmpty();
        for (int i = 0; i < MOVES; i++) {
            String schema = "many" + i;
            String sums = """
                    SELECT concat_ws(' ', (SELECT value FROM %1$s.total), (SELECT count(*) FROM %1$s.history),
                        (SELECT sum(value) FROM %1$s.keyless), (SELECT count(*) FROM %1$s.filler))""".formatted(schema);
            assertThat(cluster.list(sums))
                    .as("schema %s", schema)
                    .containsExactly("%1$d %1$d %1$d %2$d".formatted(confirmed.get(i), ROWS));
            MoveTraces.assertOnlyOn(cluster, target(i), schema);
        }
        MoveTraces.assertNone(cluster);
    }

    @Test
    void movesASchemaOfManyTables() throws SQLException {
        create("wide", "worker1", """
                DO $$ BEGIN
                    FOR i IN 1..%d LOOP
                        EXECUTE format('CREATE TABLE t%%1$s (id int PRIMARY KEY, text text DEFAULT %%1$L)', i);
                        EXECUTE format('INSERT INTO t%%s VALUES (1), (2)', i);
                        IF i %% 10 = 0 THEN
                            EXECUTE format('CREATE INDEX ON t%%s (text) WHERE id > 0', i);
                            EXECUTE format('ALTER TABLE t%%s ADD number serial, ADD other int DEFAULT 1 REFERENCES t%%s',
                                           i, i - 1);
                        END IF;
                    END LOOP;
                END $$""".formatted(TABLES));
        PostgresNode source = cluster.worker(1);
        PostgresNode target = cluster.worker(2);
        List<String> definition = definition(source);
        // Two columns, the key and its index; and where there is more, two columns, an index and a constraint.
        assertThat(definition).hasSize(4 * TABLES + 4 * TABLES / 10);
        cluster.list("SELECT citus_schema_move('wide', '%s', %d)".formatted(target.host(), target.port()));
        assertThat(definition(target)).isEqualTo(definition);
        List<String> rows = cluster.list("""
                SELECT (xpath('//n/text()', query_to_xml(
                    format('SELECT concat_ws(%L, count(*), max(id)) AS n FROM %s', ' ', oid::regclass),
                    false, true, '')))[1]
                FROM pg_class WHERE relnamespace = 'wide'::regnamespace AND relkind = 'r'""");
        assertThat(rows).hasSize(TABLES).containsOnly("2 2");
        assertThat(cluster.list("INSERT INTO wide.t70 (id) VALUES (3) RETURNING concat_ws(' ', number, text)"))
                .containsExactly("3 70");
        MoveTraces.assertOnlyOn(cluster, target, "wide");
        MoveTraces.assertNone(cluster);
    }

    /** Columns, indexes and constraints as the node itself writes them. */
    private static List<String> definition(PostgresNode node) throws SQLException {
        return node.list("""
                SELECT c.relname || ' ' || a.attnum || a.attname || format_type(a.atttypid, a.atttypmod)
                       || coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS text
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                WHERE c.relnamespace = 'wide'::regnamespace AND c.relkind = 'r'
                UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index i
                JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'wide'::regnamespace
                UNION ALL SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'wide'::regnamespace AND contype <> 'n'
                ORDER BY 1""");
    }

    private static PostgresNode target(int schema) {
        return cluster.worker(2 - schema % 2);
    }

    private static void create(String schema, String node, String content) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = '" + node + "'");
            statement.execute("CREATE SCHEMA " + schema);
            statement.execute("SET search_path = " + schema);
            statement.execute(content);
        }
    }

    private void awaitWrites() {
        for (int i = 0; i < MOVES; i++) {
            int number = i;
            long before = confirmed.get(i);
            Eventually.passes(() -> assertThat(confirmed.get(number)).isGreaterThan(before + 5));
        }
    }

    /** Some dozen transactions a second, each open for a while. */
    private void write(int number) {
        try (Connection client = cluster.connect()) {
            client.setSchema("many" + number);
            client.setAutoCommit(false);
            try (PreparedStatement update = client.prepareStatement("UPDATE total SET value = value + 1");
                    PreparedStatement history = client.prepareStatement("INSERT INTO history (total) VALUES (1)");
                    PreparedStatement keyless =
                            client.prepareStatement("INSERT INTO keyless SELECT 1 FROM pg_sleep(0.02)")) {
                while (!stop.get()) {
                    for (PreparedStatement statement : List.of(update, history, keyless)) {
                        assertThat(statement.executeUpdate()).isEqualTo(1);
                    }
                    client.commit();
                    confirmed.incrementAndGet(number);
                }
            }
        } catch (SQLException | AssertionError failed) {
            failures.add(failed);
        }
    }
}
