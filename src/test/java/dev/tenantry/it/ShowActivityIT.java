package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.ShownRows;
import dev.tenantry.support.SuperuserLogin;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** SHOW tenantry.sessions and its like: what they show, to whom, and that a client can't tell them from a SHOW. */
class ShowActivityIT {

    private static Cluster cluster;
    private final List<RawClient> opened = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            for (String sql : List.of(
                    "SET tenantry.node = 'worker1'",
                    "CREATE SCHEMA shown",
                    "CREATE TABLE shown.t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)",
                    "CREATE ROLE plain LOGIN PASSWORD 'secret'",
                    "CREATE ROLE watcher LOGIN PASSWORD 'secret'",
                    "GRANT pg_monitor TO watcher")) {
                client.succeed(sql);
            }
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void closeAll() {
        opened.forEach(RawClient::close);
    }

    @Test
    void showsWhatEverySessionDoes() {
        RawClient watcher = login(Map.of());
        Instant before = Instant.now().minusMillis(1);
        RawClient client = login(Map.of("application_name", "rows", "options", "-c search_path=nothing,shown"));
        assertThat(session(watcher, client)).satisfies(row -> {
            assertThat(row)
                    .containsEntry("client_addr", "127.0.0.1")
                    .containsEntry("role", Superuser.DEFAULT.name())
                    .containsEntry("application_name", "rows")
                    .containsEntry("schema", "shown")
                    .containsEntry("node", "worker1")
                    .containsEntry("state", "idle")
                    .containsEntry("xact_start", "NULL")
                    .containsEntry("pin_reasons", "NULL");
            assertThat(moment(row, "session_start")).isBetween(before, Instant.now());
            assertThat(moment(row, "state_since")).isBetween(before, Instant.now());
        });
        client.succeed("BEGIN");
        client.succeed("SET LOCAL search_path TO public");
        assertThat(session(watcher, client))
                .containsEntry("state", "idle in transaction")
                .containsEntry("schema", "NULL")
                .containsEntry("node", "NULL")
                .satisfies(row -> assertThat(moment(row, "xact_start")).isBetween(before, Instant.now()));
        assertThat(Message.types(client.run("SELECT 1/0"))).matches("ES?Z");
        assertThat(session(watcher, client)).containsEntry("state", "idle in transaction (aborted)");
        client.succeed("ROLLBACK");
        assertThat(session(watcher, client)).containsEntry("state", "idle").containsEntry("schema", "shown");
    }

    @Test
    void showsStatementsThatRun() {
        RawClient watcher = login(Map.of());
        RawClient client = login(Map.of());
        RawClient blocked = login(Map.of());
        client.succeed("BEGIN");
        client.succeed("LOCK shown.t");
        blocked.query("SELECT FROM shown.t").flushOut();
        Eventually.passes(() -> assertThat(session(watcher, blocked))
                .containsEntry("state", "active")
                .satisfies(row -> assertThat(row.get("xact_start")).isEqualTo(row.get("state_since"))));
        client.succeed("COMMIT");
        assertThat(Message.types(blocked.readUntilReady())).isEqualTo("TCZ");
        assertThat(session(watcher, blocked)).containsEntry("state", "idle");
        assertThat(session(watcher, watcher)).containsEntry("state", "active");
    }

    @Test
    void showsWhoWaitsForTheEndOfAPauseAndIsNotHeldItself() {
        RawClient watcher = login(Map.of("options", "-c search_path=shown"));
        RawClient client = login(Map.of());
        watcher.succeed("SELECT tenantry_pause_schema('shown')");
        cluster.tenantry().catalog().refresh();
        try {
            client.query("SELECT FROM shown.t").flushOut();
            Eventually.passes(() ->
                    assertThat(session(watcher, client)).containsEntry("state", "waiting for the end of a pause"));
            assertThat(ShownRows.of(watcher, "EXPLAIN (TENANTRY) SELECT FROM shown.t"))
                    .singleElement()
                    .satisfies(row -> assertThat(row).containsEntry("node", "worker1"));
        } finally {
            watcher.succeed("SELECT tenantry_resume_schema('shown')");
        }
        assertThat(Message.types(client.readUntilReady())).isEqualTo("TCZ");
        assertThat(session(watcher, client)).containsEntry("state", "idle");
    }

    @Test
    void showsPlainRolesTheirOwnOnly() {
        RawClient plain = login("plain");
        RawClient second = login("plain");
        RawClient watcher = login("watcher");
        assertThat(ShownRows.of(plain, "SHOW tenantry.sessions"))
                .extracting(row -> row.get("session_id"))
                .containsExactly(Integer.toString(plain.processId()), Integer.toString(second.processId()));
        assertThat(ShownRows.of(watcher, "SHOW tenantry.sessions"))
                .extracting(row -> row.get("role"))
                .contains("plain", "watcher");
        RawClient superuser = login(Map.of());
        superuser.succeed("SET ROLE plain");
        assertThat(ShownRows.of(superuser, "SHOW tenantry.sessions"))
                .extracting(row -> row.get("role"))
                .containsOnly(Superuser.DEFAULT.name());
    }

    @Test
    void isAnsweredInBothProtocolsAsShowIs() {
        RawClient client = login(Map.of());
        List<Message> real = client.run("SHOW work_mem");
        List<Message> simple = client.run("SHOW TENANTRY.\"sessions\"");
        assertThat(Message.types(simple)).matches("TD+CZ");
        assertThat(Message.only(simple, 'C').body())
                .isEqualTo(Message.only(real, 'C').body());
        client.parse("mine", "show tenantry.sessions").describe('S', "mine");
        client.bind("", "mine").describe('P', "").execute("", 0).close('S', "mine");
        client.sync().flushOut();
        List<Message> extended = client.readUntilReady();
        assertThat(Message.types(extended)).matches("1tT2TD+C3Z");
        assertThat(ShownRows.columns(extended)).isEqualTo(ShownRows.columns(simple));
    }

    @Test
    void givesRowsAFewAtATime() {
        RawClient client = login("plain");
        login("plain");
        login("plain");
        client.parse("", "SHOW tenantry.sessions").bind("p", "");
        client.execute("p", 2).execute("p", 1).execute("p", 1).execute("p", 1).close('P', "p");
        client.sync().flushOut();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("12DDsDsCC3Z");
    }

    @Test
    void writesValuesInTheFormatThatIsAskedFor() {
        RawClient client = login("plain");
        client.parse("", "SHOW tenantry.sessions");
        client.message('B', bind(1, 1)).describe('P', "").execute("", 0).sync().flushOut();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12TDCZ");
        ByteBuffer row = Message.only(answer, 'D').reader();
        row.getShort();
        assertThat(row.getInt()).isEqualTo(Long.BYTES);
        assertThat(row.getLong()).isEqualTo(client.processId());
        for (int[] wrong : List.of(new int[] {2, 0, 1}, new int[] {1, 7})) {
            client.parse("", "SHOW tenantry.sessions")
                    .message('B', bind(wrong))
                    .sync()
                    .flushOut();
            List<Message> refused = client.readUntilReady();
            assertThat(Message.types(refused)).isEqualTo("1EZ");
            assertThat(Message.only(refused, 'E').sqlState()).isEqualTo(wrong[0] == 2 ? "08P01" : "22023");
        }
    }

    private static MessageWriter bind(int... formats) {
        MessageWriter body = new MessageWriter().string("").string("").int16(0).int16(0);
        for (int format : formats) {
            body.int16(format);
        }
        return body;
    }

    @Test
    void worksWithADriverThatPreparesOnTheServer() throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(cluster.jdbcUrl() + "&prepareThreshold=1&ApplicationName=driver");
                PreparedStatement show = connection.prepareStatement("SHOW tenantry.sessions")) {
            connection.setAutoCommit(false);
            for (int round = 0; round < 5; round++) {
                show.setFetchSize(1 + round % 2);
                List<String> names = new ArrayList<>();
                try (ResultSet rows = show.executeQuery()) {
                    while (rows.next()) {
                        names.add(rows.getString("application_name"));
                        assertThat(rows.getLong("session_id")).isPositive();
                    }
                }
                assertThat(names).containsOnlyOnce("driver");
                connection.commit();
            }
        }
    }

    @Test
    void keepsItsPlaceAmongOtherStatements() {
        RawClient client = login(Map.of());
        assertThat(Message.types(client.run("SELECT 1 FROM shown.t; SHOW tenantry.sessions; SELECT 2")))
                .matches("TCTD+CTDCZ");
        assertThat(Message.types(client.run("SET search_path TO shown; SHOW tenantry.sessions")))
                .matches("S?CS?TD+CZ");
        assertThat(Message.types(client.run("BEGIN; INSERT INTO t VALUES (1); SHOW tenantry.sessions; ROLLBACK")))
                .matches("CCTD+CCZ");
        client.parse("", "INSERT INTO t VALUES (2)").bind("", "").execute("", 0);
        client.parse("", "SHOW tenantry.sessions").bind("", "").execute("", 0);
        client.parse("", "SELECT count(*) FROM t").bind("", "").execute("", 0);
        client.sync().flushOut();
        assertThat(Message.types(client.readUntilReady())).matches("12C12D+C12DCZ");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("1");
        client.parse("", "DELETE FROM t").bind("", "").execute("", 0);
        client.parse("", "SHOW tenantry.sessions").bind("", "").execute("", 0);
        client.parse("", "SELECT nothing").bind("", "").execute("", 0);
        client.sync().flushOut();
        assertThat(Message.types(client.readUntilReady())).matches("12C12D+CEZ");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("1");
        client.succeed("TRUNCATE t");
    }

    @Test
    void tellsTheEndOfAStringOnlyWhenItHasCommitted() {
        RawClient client = login(Map.of());
        List<Message> answer =
                client.run("INSERT INTO shown.t VALUES (1); INSERT INTO shown.t VALUES (1); SHOW tenantry.sessions");
        assertThat(Message.types(answer)).matches("CCTD+EZ");
        assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("23505");
        assertThat(client.value("SELECT count(*) FROM shown.t")).isEqualTo("0");
    }

    @Test
    void isRefusedInAFailedBlock() {
        RawClient client = login(Map.of());
        client.succeed("BEGIN");
        assertThat(Message.types(client.run("SELECT 1/0"))).isEqualTo("EZ");
        assertThat(Message.only(client.run("SHOW tenantry.sessions"), 'E').sqlState())
                .isEqualTo("25P02");
        client.parse("", "SHOW tenantry.sessions").sync().flushOut();
        assertThat(Message.only(client.readUntilReady(), 'E').sqlState()).isEqualTo("25P02");
        client.succeed("ROLLBACK");
    }

    @Test
    void leavesOtherNamesToTheNode() {
        RawClient client = login(Map.of());
        assertThat(Message.only(client.run("SHOW tenantry.nothing"), 'E').sqlState())
                .isEqualTo("42704");
        assertThat(client.value("SHOW tenantry.node")).isEmpty();
    }

    // --- helpers ----------------------------------------------------------------------------------------------------

    private RawClient login(Map<String, String> parameters) {
        RawClient client = SuperuserLogin.at(cluster.host(), cluster.port(), parameters);
        opened.add(client);
        return client;
    }

    private RawClient login(String role) {
        RawClient client =
                RawClient.login(cluster.host(), cluster.port(), role, "secret", Superuser.DEFAULT.database());
        opened.add(client);
        return client;
    }

    private static Map<String, String> session(RawClient watcher, RawClient of) {
        return ShownRows.of(watcher, "SHOW tenantry.sessions").stream()
                .filter(row -> Integer.toString(of.processId()).equals(row.getOrDefault("session_id", "")))
                .findFirst()
                .orElseThrow();
    }

    private static Instant moment(Map<String, String> row, String column) {
        return Instant.from(
                DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSSx").parse(Objects.requireNonNull(row.get(column))));
    }
}
