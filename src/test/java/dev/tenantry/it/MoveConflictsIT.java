package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.MoveTraces;
import dev.tenantry.support.MovingSchema;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Moves of a schema that somebody else holds on to, changes or drops meanwhile. */
class MoveConflictsIT {

    private static Cluster cluster;
    private static MovingSchema schema;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        schema = new MovingSchema(cluster);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void create() {
        schema.run("DROP SCHEMA IF EXISTS acme CASCADE");
        schema.run("SET tenantry.node = 'worker1'; CREATE SCHEMA acme");
        schema.run("CREATE TABLE acme.t (id int PRIMARY KEY, n int); INSERT INTO acme.t VALUES (1, 0), (2, 0)");
    }

    @AfterEach
    void observeNothing() {
        cluster.observeMoves(MovePoint.Observer.NONE);
    }

    @Test
    void waitsForAWriterThatIsIdleInItsTransactionAndLetsOthersGoOn() throws Exception {
        try (Connection idle = cluster.connect();
                Statement holding = idle.createStatement();
                Connection other = cluster.connect();
                Statement working = other.createStatement()) {
            // After the slot is there, which no open writer keeps from being made.
            AtomicBoolean holds = new AtomicBoolean();
            cluster.observeMoves(point -> {
                if (point == MovePoint.COPIED && holds.compareAndSet(false, true)) {
                    try {
                        idle.setAutoCommit(false);
                        holding.execute("UPDATE acme.t SET n = n + 1 WHERE id = 1");
                    } catch (SQLException failed) {
                        throw new IllegalStateException(failed);
                    }
                }
            });
            long move = schema.startMove(2);
            Eventually.passes(() -> assertThat(
                            schema.value("SELECT cardinality(waiting_for) FROM tenantry_moves WHERE moveid = " + move))
                    .isEqualTo("1"));
            long slowest = 0;
            for (long end = System.nanoTime() + Duration.ofSeconds(3).toNanos(); System.nanoTime() < end; ) {
                long begun = System.nanoTime();
                working.execute("UPDATE acme.t SET n = n + 1 WHERE id = 2");
                slowest = Math.max(slowest, System.nanoTime() - begun);
            }
            assertThat(Duration.ofNanos(slowest)).isLessThan(Duration.ofSeconds(2));
            assertThat(schema.phase(move)).isNotEqualTo("done");
            idle.commit();
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
            idle.setAutoCommit(true);
            assertThat(schema.value("SELECT n FROM acme.t WHERE id = 1")).isEqualTo("1");
            schema.assertOn(2);
        }
    }

    /** As a proxy does that has lost the move and does not know yet. */
    @Test
    void goesOnWhenAnotherHasWrittenItsMark() throws SQLException {
        on(2, """
                CREATE SEQUENCE public.refused;
                CREATE FUNCTION public.refuse_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF nextval('public.refused') = 1 THEN
                        RAISE EXCEPTION 'there' USING ERRCODE = 'unique_violation';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER refuse_mark BEFORE INSERT ON tenantry.move_mark
                    FOR EACH ROW EXECUTE FUNCTION public.refuse_mark();
                """);
        try {
            long move = schema.startMove(2);
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
            assertThat(schema.value("SELECT attempt FROM tenantry_moves WHERE moveid = " + move))
                    .isEqualTo("1");
            assertThat(Integer.parseInt(cluster.worker(2)
                            .list("SELECT last_value FROM public.refused")
                            .getFirst()))
                    .isGreaterThan(1);
            schema.assertOn(2);
        } finally {
            on(2, "DROP FUNCTION public.refuse_mark() CASCADE; DROP SEQUENCE public.refused");
        }
    }

    @Test
    void copiesAnewWhatHasChangedMeanwhile() {
        schema.onceAt(MovePoint.BUILT, () -> {
            schema.run("ALTER TABLE acme.t ADD COLUMN more text DEFAULT 'm'; CREATE TABLE acme.u (a int);"
                    + " INSERT INTO acme.u VALUES (7)");
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(schema.value("SELECT string_agg(more, ',') FROM acme.t")).isEqualTo("m,m");
        assertThat(schema.value("SELECT a FROM acme.u")).isEqualTo("7");
        assertThat(schema.value("SELECT attempt FROM tenantry_moves WHERE moveid = " + move))
                .isEqualTo("2");
        schema.assertOn(2);
    }

    @Test
    void waitsForWhoeverKeepsTheTablesFromBeingPublished() throws Exception {
        try (Connection builder = cluster.worker(1).connect();
                Statement building = builder.createStatement()) {
            builder.setAutoCommit(false);
            building.execute("LOCK TABLE acme.t IN SHARE UPDATE EXCLUSIVE MODE"); // as CREATE INDEX CONCURRENTLY does
            long move = schema.startMove(2);
            Eventually.passes(() -> assertThat(
                            schema.value("SELECT cardinality(waiting_for) FROM tenantry_moves WHERE moveid = " + move))
                    .isEqualTo("1"));
            builder.rollback();
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        }
        schema.assertOn(2);
    }

    @Test
    void setsTheIdentityBackOfATableThatIsCalledOtherwiseNow() throws SQLException {
        schema.run("CREATE TABLE acme.keyless (a int)");
        schema.onceAt(MovePoint.COPIED, () -> {
            schema.run("ALTER TABLE acme.keyless RENAME TO renamed");
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(cluster.worker(2).list("SELECT relreplident FROM pg_class WHERE oid = 'acme.renamed'::regclass"))
                .containsExactly("d");
    }

    @Test
    void saysWhichNodeCannotConnectToWhich() throws Exception {
        List<Connection> senders = new ArrayList<>();
        try {
            cluster.observeMoves(point -> {
                if (point == MovePoint.SLOT_CREATED && senders.isEmpty()) {
                    takeAllSenders(cluster.worker(1), senders);
                }
            });
            long move = schema.startMove(2);
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("failed"));
            assertThat(schema.value("SELECT sqlstate || error FROM tenantry_moves WHERE moveid = " + move))
                    .startsWith("08006")
                    .contains("node \"worker2\" can't connect to node \"worker1\"");
        } finally {
            for (Connection sender : senders) {
                sender.close();
            }
        }
        schema.assertOn(1);
    }

    private static void takeAllSenders(PostgresNode node, List<Connection> taken) {
        Properties replicating = new Properties();
        replicating.setProperty("replication", "database");
        replicating.setProperty("assumeMinServerVersion", "15");
        replicating.setProperty("preferQueryMode", "simple");
        int senders = 20; // see max_wal_senders of DataFolder
        while (taken.size() <= senders) {
            try {
                taken.add(DriverManager.getConnection(node.jdbcUrl(), replicating));
            } catch (SQLException full) {
                return;
            }
        }
        throw new IllegalStateException("there are more senders than " + senders);
    }

    @Test
    void followsTruncate() {
        schema.onceAt(MovePoint.COPIED, () -> {
            schema.run("TRUNCATE acme.t; INSERT INTO acme.t VALUES (3, 3)");
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("done"));
        assertThat(schema.value("SELECT string_agg(id::text, ',') FROM acme.t")).isEqualTo("3");
        schema.assertOn(2);
    }

    /** As when it ends between the moment that open moves are looked for and the one in which they are begun. */
    @Test
    void leavesAMoveThatHasEndedAsItIs() {
        cluster.observeMoves(point -> {
            if (point == MovePoint.COPIED) {
                new CountDownLatch(1).await(); // until it is cancelled
            }
        });
        long move = schema.startMove(2);
        schema.value("SELECT tenantry_move_cancel(" + move + ")");
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("cancelled"));
        String row = " tenantry.move WHERE moveid = " + move;
        long epoch = Long.parseLong(schema.value("SELECT epoch FROM" + row));
        schema.run("UPDATE tenantry.move SET finished_at = NULL WHERE moveid = " + move + "; NOTIFY tenantry_move");
        Eventually.holds(
                "it is begun again and again",
                () -> Long.parseLong(schema.value("SELECT epoch FROM" + row)) > epoch + 5);
        schema.run("UPDATE tenantry.move SET finished_at = now() WHERE moveid = " + move);
        assertThat(schema.phase(move)).isEqualTo("cancelled");
    }

    @Test
    void cancellingTheStatementUndoesTheMove() throws Exception {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            cluster.observeMoves(point -> {
                if (point == MovePoint.VERIFIED) {
                    try {
                        statement.cancel();
                    } catch (SQLException failed) {
                        throw new IllegalStateException(failed);
                    }
                    new CountDownLatch(1).await(); // until it is cancelled
                }
            });
            PostgresNode target = cluster.worker(2);
            assertThatThrownBy(() -> statement.execute(
                            "SELECT citus_schema_move('acme', '" + target.host() + "', " + target.port() + ")"))
                    .hasMessageContaining("canceling statement due to user request");
        }
        Eventually.passes(
                () -> assertThat(schema.value("SELECT phase FROM tenantry_moves ORDER BY moveid DESC LIMIT 1"))
                        .isEqualTo("cancelled"));
        assertThat(schema.value("SELECT count(*) FROM acme.t")).isEqualTo("2");
        schema.assertOn(1);
    }

    @Test
    void isUndoneAlsoWhenItsSlotIsGone() {
        schema.onceAt(MovePoint.VERIFIED, () -> {
            schema.value("SELECT tenantry_move_cancel(max(moveid)) FROM tenantry_moves");
            on(1, "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots");
            on(1, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("cancelled"));
        schema.assertOn(1);
    }

    @Test
    void doesNotTakeTheHalfCopyForANewSchemaOfItsName() {
        AtomicReference<String> refused = new AtomicReference<>("");
        cluster.observeMoves(point -> {
            if (point == MovePoint.BUILT) {
                MovingSchema.apart(() -> {
                    schema.run("DROP SCHEMA acme CASCADE");
                    try {
                        schema.run("SET tenantry.node = 'worker2'; CREATE SCHEMA IF NOT EXISTS acme");
                    } catch (IllegalStateException failed) {
                        refused.set(String.valueOf(failed.getMessage()));
                    }
                });
                new CountDownLatch(1).await(); // until it is noticed that there is nothing to move any more
            }
        });
        long move = schema.startMove(2);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("failed"));
        assertThat(schema.copies(cluster.worker(2))).isEqualTo("0");
        assertThat(schema.copies(cluster.worker(1))).isEqualTo("0");
        assertThat(refused.get()).contains("the copy of a former schema \"acme\" is still on node \"worker2\"");
        schema.run("SET tenantry.node = 'worker2'; CREATE SCHEMA IF NOT EXISTS acme; CREATE TABLE acme.t (a int)");
        assertThat(schema.value("SELECT count(*) FROM acme.t")).isEqualTo("0");
    }

    @Test
    void leavesNothingOnTheCoordinatorWhenTheSchemaIsDroppedOnItsWay() throws SQLException {
        schema.onceAt(MovePoint.COPIED, () -> {
            schema.run("DROP SCHEMA acme CASCADE");
        });
        PostgresNode target = cluster.coordinator();
        schema.value("SELECT citus_set_node_property('%s', %d, 'shouldhaveshards', true)"
                .formatted(target.host(), target.port()));
        long move = schema.startMove(target);
        Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("failed"));
        MoveTraces.assertNone(cluster);
    }

    @Test
    void leavesTheUndoingAloneHoweverLongItTakes() throws Exception {
        CountDownLatch isRead = new CountDownLatch(1);
        PostgresNode target = cluster.worker(2);
        try (Connection reader = target.connect();
                Statement reading = reader.createStatement()) {
            reader.setAutoCommit(false);
            cluster.observeMoves(point -> {
                if (point == MovePoint.BUILT) {
                    try {
                        reading.execute("SELECT FROM acme.t");
                    } catch (SQLException failed) {
                        throw new IllegalStateException(failed);
                    }
                    isRead.countDown();
                    new CountDownLatch(1).await(); // until it is cancelled
                }
            });
            long move = schema.startMove(2);
            assertThat(isRead.await(60, TimeUnit.SECONDS)).isTrue();
            schema.value("SELECT tenantry_move_cancel(" + move + ")");
            String dropping = "SELECT pid || ' since ' || query_start FROM pg_stat_activity"
                    + " WHERE query LIKE 'DROP SCHEMA%' AND wait_event_type = 'Lock'";
            Eventually.passes(() -> assertThat(target.list(dropping)).hasSize(1));
            List<String> first = target.list(dropping);
            Set<String> rounds = new HashSet<>();
            Eventually.passes(() -> {
                rounds.addAll(cluster.coordinator()
                        .list("SELECT query_start::text FROM pg_stat_activity WHERE query LIKE '%m.cancel_requested%'"
                                + " AND application_name = 'tenantry control'"));
                assertThat(rounds).as("looks of the one who would interrupt it").hasSizeGreaterThan(3);
            });
            assertThat(target.list(dropping)).isEqualTo(first);
            reader.rollback();
            Eventually.passes(() -> assertThat(schema.phase(move)).isEqualTo("cancelled"));
        }
        schema.assertOn(1);
    }

    @Test
    void refusesWhatReplicationCannotCarry() {
        schema.run(
                "CREATE UNLOGGED TABLE acme.volatile AS SELECT repeat(i::text, 300) FROM generate_series(1, 90000) i");
        assertThatThrownBy(() -> move(2))
                .hasMessageContaining("cannot be moved because its unlogged tables are too large")
                .hasMessageContaining("volatile");
        schema.run("DROP TABLE acme.volatile; CREATE TABLE acme.doc (body json)");
        assertThatThrownBy(() -> move(2)).hasMessageContaining("REPLICA IDENTITY or PRIMARY KEY");
        schema.assertOn(1);
    }

    @Test
    void refusesATransactionThatHasWritten() throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            client.setAutoCommit(false);
            statement.execute("CREATE TABLE public.written (a int)");
            assertThatThrownBy(() -> statement.execute("SELECT tenantry_move_start('acme', 'nowhere', 1)"))
                    .hasMessageContaining("cannot be moved by a transaction that has changed something");
            client.rollback();
        }
    }

    /** The move would wait for the transaction, and the transaction for the move. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO acme.t VALUES (3, 0); SELECT citus_schema_move('acme', '%s', %d)",
                "SELECT FROM acme.t; SELECT tenantry.citus_schema_move('acme', '%s', %d)",
                "INSERT INTO acme.t VALUES (3, 0); SELECT tenantry_move_start('acme', '%s', %d)",
            })
    void endsAMoveThatWaitsForWhoAskedForIt(String statements) throws SQLException {
        PostgresNode target = cluster.worker(2);
        String[] parts = String.format(statements, target.host(), target.port()).split("; ", 2);
        boolean waits = !parts[1].contains("tenantry_move_start");
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            client.setAutoCommit(false);
            statement.execute(parts[0]);
            if (waits) {
                assertThatThrownBy(() -> statement.execute(parts[1]))
                        .hasMessageContaining("cannot be moved by a transaction that uses it or has changed something")
                        .extracting(failed -> ((SQLException) failed).getSQLState())
                        .isEqualTo("25001");
                client.rollback();
                awaitNoMoves();
                schema.assertOn(1);
                move(2);
            } else {
                statement.execute(parts[1]);
                client.commit();
                awaitNoMoves();
            }
        }
        schema.assertOn(2);
    }

    @Test
    void endsARebalanceThatWaitsForWhoAskedForIt() throws SQLException {
        PostgresNode source = cluster.worker(1);
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            client.setAutoCommit(false);
            statement.execute("INSERT INTO acme.t VALUES (3, 0)");
            assertThatThrownBy(() -> statement.execute(
                            "SELECT citus_drain_node('" + source.host() + "', " + source.port() + ")"))
                    .hasMessageContaining("cannot be moved by a transaction that uses it or has changed something");
            client.rollback();
        }
        awaitNoMoves();
        schema.run("SELECT citus_set_node_property('" + source.host() + "', " + source.port()
                + ", 'shouldhaveshards', true)");
        schema.assertOn(1);
    }

    /** As PostgreSQL asks for owners of what is altered; who does not inherit must SET ROLE. */
    @Test
    void isNotForMembersWhoDoNotInheritFromTheOwner() throws SQLException {
        schema.run("CREATE ROLE owning; CREATE ROLE lazy NOINHERIT IN ROLE owning; ALTER SCHEMA acme OWNER TO owning");
        String move = "SELECT citus_schema_move('acme', 'nowhere', 1)";
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET SESSION AUTHORIZATION lazy");
            assertThatThrownBy(() -> statement.execute(move)).hasMessageContaining("must be owner of schema acme");
            assertThatThrownBy(() -> statement.execute("SELECT citus_rebalance_start()"))
                    .hasMessageContaining("must be owner of schema acme");
            statement.execute("SET ROLE owning");
            assertThatThrownBy(() -> statement.execute(move))
                    .hasMessageContaining("nowhere")
                    .hasMessageNotContaining("owner");
        } finally {
            schema.run("ALTER SCHEMA acme OWNER TO CURRENT_USER; DROP ROLE lazy; DROP ROLE owning");
        }
    }

    private static void awaitNoMoves() {
        Eventually.passes(
                () -> assertThat(schema.value("SELECT count(*) FROM tenantry_moves WHERE finished_at IS NULL"))
                        .isEqualTo("0"));
    }

    private static void move(int worker) throws SQLException {
        PostgresNode target = cluster.worker(worker);
        schema.value("SELECT citus_schema_move('acme', '" + target.host() + "', " + target.port() + ")");
    }

    private static void on(int worker, String sql) {
        try (Connection node = cluster.worker(worker).connect();
                Statement statement = node.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
