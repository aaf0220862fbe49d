package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.commit.GlobalTransactionId;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.HttpService;
import dev.tenantry.support.PostgresNode;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Two proxies, processes of their own, before one coordinator: one of them finishes prepared transactions and measures
 * nodes, and when it is gone or hangs the other does.
 */
class UpkeepLeaderFaultIT {

    private static final Map<String, String> OFTEN = Map.of(
            "TENANTRY_CONTROL_UPKEEP_INTERVAL_MILLIS", "100",
            "TENANTRY_CONTROL_UPKEEP_PREPARED_AGE_MILLIS_MIN", "2000",
            "TENANTRY_CONTROL_UPKEEP_MEASURE_MILLIS", "100");

    /** Rows, one for each node each time. */
    private static final int MEASUREMENTS = 10;

    /** Who does the upkeep; the moves may be another's. */
    private static final String LEADERS = "SELECT l.pid FROM tenantry.leader l"
            + " JOIN pg_stat_get_activity(l.pid) a ON a.backend_start = l.begun WHERE l.work = 'upkeep'";

    private HttpService one;
    private HttpService other;
    private long transactions;

    @BeforeEach
    void start() throws Exception {
        one = HttpService.start(1, OFTEN);
        other = one.another();
        try (Connection client = one.connect();
                Statement statement = client.createStatement()) {
            statement.execute("CREATE SCHEMA acme");
            statement.execute("CREATE TABLE acme.notes AS SELECT 1 AS id");
        }
        run(coordinator(), """
                CREATE TABLE public.measured (pid integer);
                CREATE FUNCTION public.note_measured() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO public.measured VALUES (pg_backend_pid()); RETURN NEW; END $$;
                CREATE TRIGGER note BEFORE INSERT OR UPDATE ON tenantry.node_size
                FOR EACH ROW EXECUTE FUNCTION public.note_measured()
                """);
    }

    @AfterEach
    void stop() {
        other.close();
        one.close();
    }

    @Test
    void oneDoesItAllAndTheOtherOnceThatIsKilled() throws Exception {
        HttpService leader = leader();
        HttpService follower = leader == one ? other : one;
        for (int i = 1; i <= 3; i++) {
            leaveBehind();
            assertThat(finishedBy(leader)).isEqualTo(i);
        }
        assertThat(finishedBy(follower)).isZero();
        assertMeasuredByLeaderAlone();

        leader.process().kill();
        leaveBehind();
        assertThat(finishedBy(follower)).isEqualTo(1);
        assertThat(isLeader(follower)).isTrue();
        assertMeasuredByLeaderAlone();
    }

    @Test
    void theOtherTakesOverFromOneThatHangs() throws Exception {
        HttpService leader = leader();
        HttpService follower = leader == one ? other : one;
        signal(leader, "STOP");
        try {
            leaveBehind();
            assertThat(finishedBy(follower)).isEqualTo(1);
        } finally {
            signal(leader, "CONT");
        }
        Eventually.holds("the one that hung gives up", () -> !isLeader(leader));
        leaveBehind();
        assertThat(finishedBy(follower)).isEqualTo(2);
        assertThat(finishedBy(leader)).isZero();
    }

    /** The one that leads, when exactly one does. */
    private HttpService leader() {
        Eventually.passes(() -> assertThat(Stream.of(one, other).filter(UpkeepLeaderFaultIT::isLeader))
                .hasSize(1));
        return isLeader(one) ? one : other;
    }

    private static boolean isLeader(HttpService service) {
        return metric(service, "tenantry_leader") == 1;
    }

    private static double finishedBy(HttpService service) {
        return metric(service, "tenantry_prepared_finished_total{action=\"rollback_prepared\"}");
    }

    private static double metric(HttpService service, String name) {
        return service.get("/q/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                .sum();
    }

    /** Leaves a prepared transaction behind as a proxy that dies, and returns when somebody has finished it. */
    private void leaveBehind() throws SQLException {
        String gid = new GlobalTransactionId(
                        only(coordinator(), "SELECT cluster_id FROM tenantry.cluster"),
                        "gone",
                        ++transactions,
                        Integer.parseInt(only(coordinator(), "SELECT nodeid FROM tenantry.node WHERE groupid = 0")),
                        Long.parseLong(only(coordinator(), "SELECT pg_current_xact_id()")))
                .toString();
        run(worker(), "BEGIN; INSERT INTO acme.notes VALUES (2); PREPARE TRANSACTION '" + gid + "'");
        Eventually.passes(() ->
                assertThat(worker().list("SELECT gid FROM pg_prepared_xacts")).isEmpty());
    }

    private void assertMeasuredByLeaderAlone() throws SQLException {
        run(coordinator(), "DELETE FROM public.measured");
        Eventually.passes(() -> assertThat(coordinator().list("SELECT pid FROM public.measured"))
                .hasSizeGreaterThan(MEASUREMENTS));
        assertThat(coordinator().list("SELECT DISTINCT pid FROM public.measured"))
                .isEqualTo(coordinator().list(LEADERS))
                .hasSize(1);
    }

    private static void signal(HttpService service, String name) throws IOException, InterruptedException {
        String pid = Long.toString(service.process().handle().pid());
        assertThat(new ProcessBuilder("kill", "-s", name, pid).start().waitFor())
                .isZero();
    }

    private PostgresNode coordinator() {
        return one.nodes().getFirst();
    }

    private PostgresNode worker() {
        return one.nodes().getLast();
    }

    private static void run(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String only(PostgresNode node, String sql) throws SQLException {
        return node.list(sql).getFirst();
    }
}
