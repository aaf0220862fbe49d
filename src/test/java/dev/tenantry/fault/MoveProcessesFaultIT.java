package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Eventually;
import dev.tenantry.support.HttpService;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The proxy that leads, a process of its own, dies of {@code kill -9} in the middle of a move, while another is there:
 * that one finishes the move, and nothing is left of the first.
 */
class MoveProcessesFaultIT {

    private static final Duration END_MAX = Duration.ofSeconds(60);

    @Test
    void anotherProcessFinishesTheMoveOfOneThatWasKilled() throws Exception {
        try (HttpService first = HttpService.start(2)) {
            create(first);
            try (HttpService second = first.another()) {
                killWhileCopying(first);
                assertMoved(second, second.nodes().get(2));
                if ("all"
                        .equals(System.getProperty("move.deaths"))) { // each death is believed after half a minute only
                    finishesOneThatIsPrepared(second);
                }
            }
        }
    }

    private static void finishesOneThatIsPrepared(HttpService second) throws Exception {
        try (HttpService third = second.another()) {
            killWhenPrepared(second);
            assertMoved(third, third.nodes().get(1));
        }
    }

    private static void create(HttpService service) throws SQLException {
        run(service.connect(), "SET tenantry.node = 'worker1'", "CREATE SCHEMA acme", """
                CREATE TABLE acme.note (id serial PRIMARY KEY, message text);
                INSERT INTO acme.note (message) SELECT 'm' || i FROM generate_series(1, 1000) i""");
    }

    /** An open writer keeps the slot from being made until the copy, which is there by then, is locked. */
    private static void killWhileCopying(HttpService leader) throws SQLException {
        PostgresNode source = leader.nodes().get(1);
        PostgresNode target = leader.nodes().get(2);
        try (Connection copy = target.connect()) {
            copy.setAutoCommit(false);
            try (Connection writer = source.connect()) {
                writer.setAutoCommit(false);
                try (Statement statement = writer.createStatement()) {
                    statement.execute("INSERT INTO acme.note (message) VALUES ('last')");
                }
                begin(leader, target);
                Eventually.passes(() -> assertThat(
                                target.list("SELECT to_regclass('acme.note') IS NOT NULL AND EXISTS (SELECT FROM"
                                        + " tenantry.move_deed)"))
                        .containsExactly("t"));
                try (Statement statement = copy.createStatement()) {
                    statement.execute("LOCK TABLE acme.note IN SHARE MODE");
                }
                writer.commit();
            }
            Eventually.passes(() -> assertThat(target.list("SELECT 1 FROM pg_stat_activity"
                            + " WHERE application_name ~ '^tenantry_.*_rows$' AND wait_event_type = 'Lock'"))
                    .isNotEmpty());
            leader.process().kill();
        }
    }

    /** The row of the schema can't be changed, but for 200 ms at a time it is attempted. */
    private static void killWhenPrepared(HttpService leader) throws SQLException {
        PostgresNode source = leader.nodes().get(2);
        try (Connection locker = leader.nodes().getFirst().connect();
                Statement statement = locker.createStatement()) {
            locker.setAutoCommit(false);
            statement.execute("SELECT FROM tenantry.schema FOR NO KEY UPDATE");
            begin(leader, leader.nodes().get(1));
            Eventually.passes(() ->
                    assertThat(source.list("SELECT gid FROM pg_prepared_xacts")).isNotEmpty());
            leader.process().kill();
        }
    }

    private static void begin(HttpService service, PostgresNode target) throws SQLException {
        run(service.connect(), "SELECT tenantry_move_start('acme', '%s', %d)".formatted(target.host(), target.port()));
    }

    private static void assertMoved(HttpService service, PostgresNode target) throws SQLException {
        PostgresNode coordinator = service.nodes().getFirst();
        Eventually.passes(
                END_MAX,
                () -> assertThat(coordinator.list(
                                "SELECT DISTINCT phase || coalesce(old_schema::text, '') FROM tenantry.move"))
                        .containsExactly("done"));
        run(service.connect(), "INSERT INTO acme.note (message) VALUES ('after')");
        for (PostgresNode node : service.nodes().subList(1, 3)) {
            List<String> found = node.list(
                    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenantry\\_%'" + " OR nspname = 'acme'");
            assertThat(found).isEqualTo(node == target ? List.of("acme") : List.of());
            assertThat(node.list("""
                    SELECT slot_name FROM pg_replication_slots UNION ALL SELECT pubname FROM pg_publication
                    UNION ALL SELECT subname FROM pg_subscription UNION ALL SELECT deed FROM tenantry.move_deed
                    UNION ALL SELECT mark::text FROM tenantry.move_mark""")).isEmpty();
            Eventually.passes(() ->
                    assertThat(node.list("SELECT gid FROM pg_prepared_xacts")).isEmpty());
        }
        assertThat(coordinator.list("SELECT pauseid FROM tenantry.pause")).isEmpty();
        assertThat(target.list("SELECT count(*) - max(id) FROM acme.note")).containsExactly("0");
    }

    private static void run(Connection opened, String... statements) throws SQLException {
        try (Connection connection = opened;
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
