package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.Tenantry;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cancel requests that a load balancer has brought to another proxy than the one that the session is at. */
class ForeignCancelIT {

    private static Cluster cluster;
    private static Tenantry other;
    private RawClient client;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        PoolLimits one = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, 60_000, 100));
        other = cluster.another(ProxyLimits.forCores(1).withPool(one));
        try (RawClient client = cluster.login()) {
            client.run("SET tenantry.node = 'worker1'");
            client.run("CREATE SCHEMA far");
            client.run("CREATE TABLE far.t (id int)");
        }
        Eventually.passes(() ->
                assertThat(onCoordinator("SELECT count(*) FROM tenantry.proxy")).isEqualTo("2"));
    }

    @AfterAll
    static void stop() {
        other.close();
        cluster.close();
    }

    @BeforeEach
    void login() {
        client = loginAtOther();
    }

    @AfterEach
    void leaveNothing() throws SQLException {
        client.close();
        assertThat(onCoordinator("SELECT count(*) FROM tenantry.cancel_request"))
                .isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT pg_sleep(60) FROM (SELECT count(*) FROM far.t) t",
                "SELECT FROM far.t; SELECT pg_sleep(60) /* at the coordinator, after the worker */",
                "COPY (SELECT pg_sleep(60) FROM (SELECT count(*) FROM far.t) t) TO STDOUT",
            })
    void cancelsWhatRuns(String sql) {
        client.query(sql).flushOut();
        awaitSleep();
        cancelThroughFirst(client.processId(), client.secretKey());
        assertCancelled(client);
    }

    @Test
    void cancelsByLongKeyOfProtocol32() {
        try (RawClient modern = RawClient.connect("127.0.0.1", other.address().getPort())) {
            modern.signIn(RawClient.PROTOCOL_3_2, "tenantry", Map.of("user", "tenantry", "database", "tenantry"));
            assertThat(modern.secretKey()).hasSize(32);
            modern.query("SELECT pg_sleep(60)").flushOut();
            awaitSleep();
            cancelThroughFirst(modern.processId(), modern.secretKey());
            assertCancelled(modern);
        }
    }

    @Test
    void cancelsCopyThatWaitsForItsClient() {
        client.query("COPY far.t FROM STDIN").read();
        client.copyData("1\n").flushOut();
        cancelThroughFirst(client.processId(), client.secretKey());
        client.copyData("2\n").copyDone();
        assertCancelled(client);
    }

    @Test
    void cancelsWhoWaitsForAConnection() {
        try (RawClient holder = loginAtOther()) {
            holder.run("BEGIN");
            holder.run("SELECT FROM far.t");
            client.query("SELECT FROM far.t").flushOut();
            loginAtOther().close(); // on the same event loop, so that the query has been seen
            cancelThroughFirst(client.processId(), client.secretKey());
            assertCancelled(client);
            holder.run("COMMIT");
        }
    }

    /** Whoever waits for the end of its request can't hit what it runs next. */
    @Test
    void leavesTheNextStatementAlone() {
        for (int round = 0; round < 50; round++) {
            client.query("SELECT pg_sleep(0.001)").flushOut();
            cancelThroughFirst(client.processId(), client.secretKey());
            client.readUntilReady();
            assertThat(client.value("SELECT " + round)).isEqualTo("" + round);
        }
    }

    @Test
    void takesNoNoticeOfWrongKeys() {
        client.query("SELECT pg_sleep(60)").flushOut();
        awaitSleep();
        byte[] wrong = client.secretKey();
        wrong[0] ^= 1;
        cancelThroughFirst(client.processId(), wrong);
        cancelThroughFirst(client.processId(), new byte[256]);
        List<RawClient> garbage = new ArrayList<>();
        for (int i = 0; i < 300; i++) { // at once, so that they are more than are handed on
            RawClient one = RawClient.connect("127.0.0.1", cluster.port());
            one.requestCancel(client.processId() ^ i << 15, wrong);
            garbage.add(one);
        }
        for (RawClient one : garbage) {
            one.readToEnd();
            one.close();
        }
        assertThat(client.hasInput()).isFalse();
        Eventually.passes(() -> {
            cancelThroughFirst(client.processId(), client.secretKey()); // some of which may be dropped just now
            assertThat(client.hasInput()).isTrue();
        });
        assertCancelled(client);
        assertThat(cancels("dropped")).isPositive();
        assertThat(cancels("handed_on")).isPositive();
    }

    @Test
    void carriesOutNothingThatIsOld() throws SQLException {
        client.query("SELECT pg_sleep(60)").flushOut();
        awaitSleep();
        try (Connection connection = cluster.coordinator().connect();
                PreparedStatement row = connection.prepareStatement("INSERT INTO tenantry.cancel_request"
                        + " SELECT gen_random_uuid(), proxyid, ?, ?, clock_timestamp() - interval '3 s'"
                        + " FROM tenantry.proxy WHERE left(proxyid, 3) = lpad(to_hex(? >> 19), 3, '0')");
                Statement notify = connection.createStatement()) {
            row.setInt(1, client.processId());
            row.setBytes(2, client.secretKey());
            row.setInt(3, client.processId());
            assertThat(row.executeUpdate()).isPositive();
            notify.execute("SELECT pg_notify('tenantry_catalog', 'cancel ' || proxyid) FROM tenantry.proxy");
        }
        Eventually.passes(() -> assertThat(onCoordinator("SELECT count(*) FROM tenantry.cancel_request"))
                .isEqualTo("0"));
        assertThat(client.hasInput()).isFalse();
        cancelThroughFirst(client.processId(), client.secretKey());
        assertCancelled(client);
    }

    /** The requester waits for as many as are asked. */
    @Test
    void asksEveryProxyThatHasTheNumberOfAKey() throws SQLException {
        String number = "lpad(to_hex(" + client.processId() + " >> 19), 3, '0')";
        onCoordinator("INSERT INTO tenantry.proxy (proxyid, alive_at)" + " VALUES (" + number
                + " || 'twin', clock_timestamp()) RETURNING proxyid");
        try {
            assertThat(onCoordinator("SELECT count(DISTINCT asked) || ' of ' || count(*) FROM tenantry.hand_on_cancels("
                            + "'none', jsonb_build_array(jsonb_build_object('id', gen_random_uuid(), 'processid', "
                            + client.processId() + ", 'secret', '00'))) AS asked"))
                    .isEqualTo("1 of 2");
        } finally {
            onCoordinator("DELETE FROM tenantry.proxy WHERE proxyid LIKE '%twin' RETURNING proxyid");
            onCoordinator("DELETE FROM tenantry.cancel_request WHERE proxyid LIKE '%twin' RETURNING proxyid");
        }
        Eventually.passes(() -> assertThat(onCoordinator("SELECT count(*) FROM tenantry.cancel_request"))
                .isEqualTo("0"));
    }

    @Test
    void outlivesTheLossOfItsConnections() throws SQLException {
        client.query("SELECT pg_sleep(60)").flushOut();
        awaitSleep();
        cancelThroughFirst(client.processId(), new byte[4]); // so that both proxies have a connection
        String ended = onCoordinator("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                + " WHERE application_name = 'tenantry control' AND query LIKE '%cancel%'"
                + " AND pid <> pg_backend_pid()");
        assertThat(Integer.parseInt(ended)).isGreaterThanOrEqualTo(2); // the upkeep's may be among them
        cancelThroughFirst(client.processId(), client.secretKey());
        assertCancelled(client);
    }

    @Test
    void mayBeAskedAgainWhoseAnswerWasLost() throws SQLException {
        String ask = "SELECT tenantry.hand_on_cancels('asking', '[{\"id\": \"7c9e6679-7425-40de-944b-e07fc1f90ae7\","
                + " \"processid\": -1, \"secret\": \"00\"}]')";
        onCoordinator("INSERT INTO tenantry.proxy VALUES ('fff', clock_timestamp()) RETURNING proxyid");
        String first = onCoordinator(ask);
        assertThat(onCoordinator(ask)).isEqualTo(first).hasSize(36);
        assertThat(onCoordinator("WITH p AS (DELETE FROM tenantry.proxy WHERE proxyid = 'fff')"
                        + " SELECT count(*) FROM tenantry.take_cancels('fff')"))
                .isEqualTo("1");
    }

    @Test
    void rolesSeeNoKeys() throws SQLException {
        client.run("CREATE ROLE curious LOGIN");
        assertThat(onCoordinator("SELECT has_table_privilege('curious', 'tenantry.cancel_request', 'SELECT')"
                        + " OR has_function_privilege('curious', 'tenantry.take_cancels(text)', 'EXECUTE')"))
                .isEqualTo("f");
        client.run("DROP ROLE curious");
    }

    private static double cancels(String outcome) {
        return cluster.meters()
                .get("tenantry.cancels")
                .tag("outcome", outcome)
                .counter()
                .count();
    }

    private static RawClient loginAtOther() {
        return SuperuserLogin.at("127.0.0.1", other.address().getPort(), Map.of());
    }

    private static void cancelThroughFirst(int processId, byte[] key) {
        try (RawClient canceller = RawClient.connect("127.0.0.1", cluster.port())) {
            canceller.requestCancel(processId, key);
            assertThat(canceller.readToEnd()).isEmpty();
        }
    }

    private static void awaitSleep() {
        Eventually.passes(() -> assertThat(sleeping()).isEqualTo(1));
    }

    private static long sleeping() throws SQLException {
        long sleeping = 0;
        for (var node : cluster.nodes()) {
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")) {
                row.next();
                sleeping += row.getLong(1);
            }
        }
        return sleeping;
    }

    private static String onCoordinator(String sql) throws SQLException {
        try (Connection connection = cluster.coordinator().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void assertCancelled(RawClient cancelled) {
        assertThat(Message.only(cancelled.readUntilReady(), 'E').sqlState()).isEqualTo("57014");
        assertThat(cancelled.value("SELECT 1")).isEqualTo("1");
    }
}
