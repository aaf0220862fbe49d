package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.move.MovePoint;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.MoveTraces;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A move, with something killed at each of its points: in the end the schema is on one node only, with every row that
 * was confirmed, once; and neither node has anything left of the move. The leading proxy dies, as far as servers can
 * tell, by the end of all its connections; who takes over is the same process.
 */
class MoveFaultIT {

    /** Less than the mover waits for an answer, so that nobody can have waited for a lock of the mover's own. */
    private static final Duration END_MAX = Duration.ofSeconds(25);

    private static Cluster cluster;

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger next = new AtomicInteger();
    private final Set<Integer> confirmed = ConcurrentHashMap.newKeySet();

    @BeforeAll
    static void start() throws SQLException {
        cluster = Cluster.start(2);
        cluster.list("CREATE ROLE move_fault_owner");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Who dies. */
    enum Victim {
        LEADER,
        SOURCE,
        TARGET,
        COORDINATOR
    }

    /** All of them at each point with {@code -Dmove.deaths=all}; otherwise one at each, in turn. */
    static Stream<Arguments> deaths() {
        boolean all = "all".equals(System.getProperty("move.deaths"));
        List<MovePoint> points = List.of(MovePoint.values());
        List<Victim> victims = List.of(Victim.values());
        return IntStream.range(0, points.size() * victims.size())
                .filter(number -> all || number / victims.size() % victims.size() == number % victims.size())
                .mapToObj(number ->
                        Arguments.of(points.get(number / victims.size()), victims.get(number % victims.size())));
    }

    @ParameterizedTest
    @MethodSource("deaths")
    void survives(MovePoint point, Victim victim) throws Exception {
        check(point, victim, "auto");
    }

    @ParameterizedTest
    @CsvSource({"COPIED, LEADER", "PAUSED, SOURCE", "LEVEL, TARGET", "PREPARED, COORDINATOR"})
    void survivesWhereWritersWait(MovePoint point, Victim victim) throws Exception {
        check(point, victim, "block_writes");
    }

    /** The one who waits is the leader, which is told to stop when it has lost its connections. */
    private static void awaitUnlessStopped(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static void kill(Victim victim) {
        switch (victim) {
            case LEADER -> endConnectionsOfTheLeader();
            case SOURCE -> killAndRestart(cluster.worker(1));
            case TARGET -> killAndRestart(cluster.worker(2));
            case COORDINATOR -> killAndRestart(cluster.coordinator());
        }
    }

    private static void endConnectionsOfTheLeader() {
        for (PostgresNode node : cluster.nodes()) {
            try {
                node.list("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                        + " AND application_name ~ '^tenantry( control|_.*_rows)$'");
            } catch (SQLException failed) {
                throw new IllegalStateException(failed);
            }
        }
    }

    /** What is left of the server's processes may keep its port or its memory for a moment. */
    private static void killAndRestart(PostgresNode node) {
        int port = node.port();
        node.kill();
        Eventually.passes(() -> {
            node.restart();
            assertThat(node.port()).isEqualTo(port);
        });
    }

    private void check(MovePoint point, Victim victim, String mode) throws Exception {
        String schema = "killed_%s_%s_%s".formatted(mode, victim, point).toLowerCase(Locale.ROOT);
        create(schema);
        AtomicBoolean once = new AtomicBoolean();
        AtomicBoolean back = new AtomicBoolean();
        cluster.observeMoves(reached -> {
            if (reached == point && once.compareAndSet(false, true)) {
                awaitUnlessStopped(Thread.ofPlatform().start(() -> {
                    kill(victim);
                    back.set(true);
                }));
            }
        });
        Thread writer = Thread.ofPlatform().start(() -> write(schema));
        try {
            Eventually.passes(() -> assertThat(confirmed).hasSizeGreaterThan(10));
            PostgresNode target = cluster.worker(2);
            cluster.list("SELECT tenantry_move_start('%s', '%s', %d, '%s')"
                    .formatted(schema, target.host(), target.port(), mode));
            Eventually.passes(
                    END_MAX,
                    () -> assertThat(cluster.coordinator()
                                    .list("SELECT count(*) FROM tenantry.move"
                                            + " WHERE finished_at IS NULL OR old_schema IS NOT NULL"))
                            .containsExactly("0"));
            assertThat(once).as("was killed at %s, moves %s", point, moves()).isTrue();
            Eventually.holds("what died is back", back::get); // the move may have ended without it
            int before = confirmed.size();
            Eventually.passes(() -> assertThat(confirmed).hasSizeGreaterThan(before + 10));
        } finally {
            stop.set(true);
            writer.join();
            cluster.observeMoves(MovePoint.Observer.NONE);
        }
        assertRowsOnce(schema);
        assertOnOneNode(schema);
        MoveTraces.assertNone(cluster);
        cluster.list("DROP SCHEMA " + schema + " CASCADE");
    }

    private void assertRowsOnce(String schema) throws SQLException {
        List<String> rows = cluster.list("SELECT id FROM " + schema + ".t");
        Set<String> different = Set.copyOf(rows);
        assertThat(different).hasSize(rows.size());
        assertThat(cluster.list("SELECT sum(id) FROM " + schema + ".guarded")).containsExactly("5050");
        assertThat(confirmed.stream().map(String::valueOf).filter(id -> !different.contains(id)))
                .as("confirmed and lost")
                .isEmpty();
    }

    private static List<String> moves() throws SQLException {
        return cluster.list("SELECT format('%s %s %s', moveid, phase, error) FROM tenantry_moves ORDER BY moveid");
    }

    private static void assertOnOneNode(String schema) throws SQLException {
        String found = "SELECT count(*) FROM pg_namespace WHERE nspname = '" + schema + "'";
        int copies = Integer.parseInt(cluster.worker(1).list(found).getFirst())
                + Integer.parseInt(cluster.worker(2).list(found).getFirst());
        assertThat(copies).isEqualTo(1);
        assertThat(cluster.list("SELECT phase || coalesce(error, '') FROM tenantry_moves ORDER BY moveid DESC LIMIT 1"))
                .containsExactly("done");
    }

    private static void create(String schema) throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("SET tenantry.node = 'worker1'");
            statement.execute("CREATE SCHEMA " + schema);
            statement.execute("CREATE TABLE " + schema + ".t (id int PRIMARY KEY, at timestamptz DEFAULT now());"
                    + " CREATE INDEX ON " + schema + ".t (at);"
                    + " CREATE TABLE " + schema + ".keyless (id int)");
            // Whose rows are written in the name of its owner.
            statement.execute("CREATE FUNCTION " + schema + ".passes(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE"
                    + " AS 'BEGIN RETURN $1 > 0; END'; CREATE TABLE " + schema + ".guarded (id int PRIMARY KEY CHECK ("
                    + schema + ".passes(id))); INSERT INTO " + schema + ".guarded SELECT generate_series(1, 100);"
                    + " ALTER TABLE " + schema + ".guarded OWNER TO move_fault_owner");
        }
    }

    /** Writes row after row; one whose commit was not confirmed may be there or not, and is not tried again. */
    private void write(String schema) {
        while (!stop.get()) {
            try (Connection client = cluster.connect();
                    Statement statement = client.createStatement()) {
                while (!stop.get()) {
                    int id = next.incrementAndGet();
                    statement.execute("INSERT INTO " + schema + ".t (id) VALUES (" + id + ")");
                    confirmed.add(id);
                }
            } catch (SQLException lost) {
                assertThat(lost.getSQLState()).as(lost.getMessage()).matches("08...|57P0.|40...|55...|53...|3D...");
            }
        }
    }
}
