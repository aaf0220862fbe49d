package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Transaction mode: sessions that share few connections to a node, and what keeps one with its session. */
class SharedBackendsIT {

    private static final int LONG_MILLIS = 60_000;
    private static final int SHORT_MILLIS = 600;
    private static final String PID = "SELECT pg_backend_pid() FROM (SELECT count(*) FROM shared.t) t";

    private static Cluster cluster;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA shared");
            client.succeed("CREATE TABLE shared.t (id int)");
            client.succeed("CREATE FUNCTION shared.quietly() RETURNS text LANGUAGE sql"
                    + " AS $$ SELECT set_config('work_mem', '9MB', false) $$");
            client.succeed("CREATE PROCEDURE shared.quietly_prepare() LANGUAGE plpgsql"
                    + " AS $$ BEGIN EXECUTE 'PREPARE quiet AS SELECT 1'; END $$");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    @Test
    void servesManySessionsOverFewConnections() throws IOException {
        ProxyServer proxy = proxy(2, LONG_MILLIS);
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            RawClient client = login(proxy);
            clients.add(client);
            client.succeed("SET work_mem TO '" + (1000 + i) + "kB'");
            client.succeed("SET search_path TO shared");
            client.parse("mine", "SELECT " + i + ", count(*) FROM t").sync().flushOut();
            assertThat(Message.types(client.readUntilReady())).isEqualTo("1Z");
        }
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < clients.size(); i++) {
                RawClient client = clients.get(i);
                assertThat(client.value("SHOW work_mem")).isEqualTo((1000 + i) + "kB");
                client.bind("", "mine").execute("", 0).sync().flushOut();
                List<Message> answer = client.readUntilReady();
                assertThat(Message.types(answer)).isEqualTo("2DCZ");
                assertThat(Message.only(answer, 'D').text()).contains(String.valueOf(i));
            }
        }
        try (RawClient watcher = cluster.login()) {
            watcher.succeed("SET search_path TO shared");
            assertThat(watcher.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%count(*) FROM t'"))
                    .isIn("0", "1", "2");
        }
    }

    @Test
    void givesConnectionToWhoWaitsWhenTheTransactionEnds() throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        RawClient first = login(proxy);
        RawClient second = login(proxy);
        first.succeed("BEGIN");
        first.succeed("INSERT INTO shared.t VALUES (1)");
        second.query("SELECT count(*) FROM shared.t").flushOut();
        first.succeed("INSERT INTO shared.t VALUES (2)");
        first.succeed("COMMIT");
        assertThat(Message.only(second.readUntilReady(), 'D').text()).contains("2");
        first.succeed("TRUNCATE shared.t");
        assertThat(second.value("SELECT count(*) FROM shared.t")).isEqualTo("0");
    }

    /** A block that has used no node yet holds nothing that others wait for. */
    @ParameterizedTest
    @ValueSource(strings = {"", "BEGIN"})
    void refusesWhoHasWaitedTooLong(String before) throws IOException {
        ProxyServer proxy = proxy(1, SHORT_MILLIS);
        RawClient first = whoKeepsAConnection(proxy);
        RawClient second = login(proxy);
        second.succeed(before);
        Message refused = Message.only(second.run("SELECT FROM shared.t"), 'E');
        assertThat(refused.sqlState()).isEqualTo("53300");
        assertThat(refused.errorMessage()).isEqualTo("no connection to node \"worker1\" is free");
        assertThat(refused.fields()).containsKeys('D', 'H');
        first.succeed("COMMIT");
        second.succeed("ROLLBACK");
        second.succeed("SELECT FROM shared.t");
    }

    /** PostgreSQL would have begun it: what the client sends next must not run outside of it. */
    @Test
    void failsTheBlockThatAStringBegins() throws IOException {
        ProxyServer proxy = proxy(1, SHORT_MILLIS);
        RawClient first = whoKeepsAConnection(proxy);
        RawClient second = login(proxy);
        List<Message> refused = second.run("BEGIN; INSERT INTO shared.t VALUES (1); COMMIT");
        assertThat(Message.types(refused)).isEqualTo("CEZ");
        assertThat(refused.get(1).sqlState()).isEqualTo("53300");
        assertThat((char) refused.getLast().body()[0]).isEqualTo('E');
        first.succeed("COMMIT");
        assertThat(Message.only(second.run("INSERT INTO shared.t VALUES (2)"), 'E')
                        .sqlState())
                .isEqualTo("25P02");
        second.succeed("ROLLBACK");
        assertThat(second.value("SELECT count(*) FROM shared.t")).isEqualTo("0");
    }

    @Test
    void endsASessionThatIsIdleWithoutAConnectionAndNotTheConnection() throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        RawClient first = login(proxy);
        RawClient second = login(proxy);
        first.succeed("SET idle_session_timeout TO 300");
        first.succeed("SELECT FROM shared.t");
        String pid = second.value(PID);
        assertThat(first.readToEnd().getLast().sqlState()).isEqualTo("57P05");
        passTime();
        assertThat(second.value(PID)).isEqualTo(pid);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"SET idle_session_timeout TO 200", "SELECT set_config('idle_session_timeout', '200', false)"})
    void keepsNoConnectionThatItsNodeWouldEnd(String sql) throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        RawClient gone = login(proxy);
        gone.succeed(sql);
        String pid = gone.value(PID);
        gone.close();
        passTime();
        assertThat(login(proxy).value(PID)).isEqualTo(pid);
    }

    @Test
    void keepsAConnectionOfARoleWhoseSessionsMustNotBeIdle() throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        try (RawClient client = cluster.login()) {
            client.succeed("CREATE ROLE never_idle LOGIN PASSWORD 'secret'");
            client.succeed("ALTER ROLE never_idle SET idle_session_timeout = 250");
            client.succeed("GRANT ALL ON SCHEMA shared TO never_idle");
            client.succeed("GRANT ALL ON shared.t TO never_idle");
        }
        String pid = "";
        for (int round = 0; round < 2; round++) {
            try (RawClient client = connect(proxy)) {
                client.signIn(RawClient.PROTOCOL_3_0, "secret", Map.of("user", "never_idle", "database", "tenantry"));
                assertThat(client.value("SHOW idle_session_timeout")).isEqualTo("250ms");
                String now = client.value(PID);
                assertThat(round == 0 || now.equals(pid)).isTrue();
                pid = now;
            }
            passTime();
        }
    }

    /** Longer than the times that are set. */
    private static void passTime() {
        try (RawClient clock = cluster.login()) {
            clock.value("SELECT pg_sleep(0.5)::text");
        }
    }

    @Test
    void cancelsWhoWaits() throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        RawClient first = whoKeepsAConnection(proxy);
        RawClient second = login(proxy);
        second.query("SELECT FROM shared.t").flushOut();
        login(proxy); // on the same event loop, so that the query has been seen
        try (RawClient canceller = connect(proxy)) {
            canceller.requestCancel(second.processId(), second.secretKey());
            assertThat(canceller.readToEnd()).isEmpty();
        }
        assertThat(Message.only(second.readUntilReady(), 'E').sqlState()).isEqualTo("57014");
        first.succeed("COMMIT");
        second.succeed("SELECT FROM shared.t");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT pg_advisory_lock(1)          | SELECT pg_advisory_unlock(1) | SELECT count(*) > 0 FROM pg_locks"
                        + " WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
                "LISTEN shared_channel               | UNLISTEN *                   | SELECT count(*) > 0 FROM"
                        + " pg_listening_channels()",
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1 | CLOSE c | SELECT count(*) > 0 FROM pg_cursors",
                "SELECT quietly()                    | RESET work_mem               | SELECT"
                        + " current_setting('work_mem') = '9MB'",
                "CALL quietly_prepare()              | DEALLOCATE ALL               | SELECT count(*) > 0 FROM"
                        + " pg_prepared_statements",
                "CREATE TEMP TABLE mine (id int)     |                              | SELECT count(*) = 0 FROM mine"
            })
    void leavesConnectionWithTheSessionThatHasSomethingOnIt(String begins, String ends, String check)
            throws IOException {
        ProxyServer proxy = proxy(1, SHORT_MILLIS);
        RawClient first = login(proxy);
        RawClient second = login(proxy);
        first.succeed("SET search_path TO shared");
        first.succeed(begins);
        assertThat(Message.only(second.run("SELECT FROM shared.t"), 'E').sqlState())
                .isEqualTo("53300");
        assertThat(first.value(check)).isEqualTo("t");
        if (ends == null) {
            first.terminate().flushOut();
            assertThat(first.readToEnd()).isEmpty();
        } else {
            first.succeed(ends);
        }
        RawClient third = login(proxy);
        Eventually.passes(() -> third.succeed("SELECT FROM shared.t"));
    }

    @Test
    void handsOnNoProcessThatHasHadTemporaryObjects() throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        RawClient first = login(proxy);
        first.succeed("SET search_path TO shared");
        first.succeed("CREATE TEMP TABLE mine (id int)");
        first.terminate().flushOut();
        assertThat(first.readToEnd()).isEmpty();
        RawClient second = login(proxy);
        RawClient third = login(proxy);
        for (int i = 0; i < 3; i++) {
            second.succeed("SELECT FROM shared.t");
            third.succeed("SELECT FROM shared.t");
        }
    }

    /** Nothing but the end of its process makes a server's random numbers random again. */
    @ParameterizedTest
    @ValueSource(strings = {"SET seed TO 0.5", "SELECT setseed(0.5)", "SELECT set_config('seed', '0.5', false)"})
    void handsOnNoRandomNumbersThatASessionHasBegun(String begins) throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        Set<String> numbers = new HashSet<>();
        for (String ends : List.of("", "DISCARD ALL")) {
            RawClient first = login(proxy);
            first.succeed("SET search_path TO shared");
            first.succeed(begins);
            first.succeed(ends);
            first.terminate().flushOut();
            assertThat(first.readToEnd()).isEmpty();
            RawClient second = login(proxy);
            second.succeed("SET search_path TO shared");
            numbers.add(second.value("SELECT random()"));
        }
        assertThat(numbers).hasSize(2);
    }

    /** What has the name on a connection may be another session's. */
    @ParameterizedTest
    @ValueSource(strings = {"SELECT FROM shared.t; EXECUTE mine", "EXECUTE mine; SELECT FROM shared.t"})
    void runsItsOwnPreparedStatementInAString(String string) throws IOException {
        ProxyServer proxy = proxy(1, LONG_MILLIS);
        RawClient first = login(proxy);
        RawClient second = login(proxy);
        first.succeed("PREPARE mine AS SELECT 'first' FROM (SELECT count(*) FROM shared.t) t");
        second.succeed("PREPARE mine AS SELECT 'second' FROM (SELECT count(*) FROM shared.t) t");
        assertThat(Message.rows(first.succeed(string))).contains(List.of("first"));
    }

    @Test
    void neverTakesConnectionFromTheMiddleOfABatch() throws IOException {
        ProxyServer proxy = proxy(1, SHORT_MILLIS);
        RawClient first = login(proxy);
        RawClient second = login(proxy);
        first.parse("", "SELECT 1 FROM shared.t").bind("", "").flush().flushOut();
        assertThat(first.readUntil('2')).hasSize(2);
        assertThat(Message.only(second.run("SELECT FROM shared.t"), 'E').sqlState())
                .isEqualTo("53300");
        first.execute("", 0).sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("CZ");
        second.succeed("SELECT FROM shared.t");
    }

    private ProxyServer proxy(int size, int waitMillis) throws IOException {
        PoolLimits limits = PoolLimits.keeping(size).sharing(new PoolLimits.Sharing(size, waitMillis, 100));
        ProxyServer proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(limits), point -> {});
        opened.add(proxy);
        return proxy;
    }

    private static RawClient connect(ProxyServer proxy) {
        return RawClient.connect(
                proxy.address().getHostString(), proxy.address().getPort());
    }

    private RawClient whoKeepsAConnection(ProxyServer proxy) throws IOException {
        RawClient client = login(proxy);
        client.succeed("BEGIN");
        client.succeed("SELECT FROM shared.t");
        return client;
    }

    private RawClient login(ProxyServer proxy) {
        Superuser superuser = Superuser.DEFAULT;
        RawClient client = RawClient.login(
                proxy.address().getHostString(),
                proxy.address().getPort(),
                superuser.name(),
                superuser.password(),
                superuser.database());
        opened.add(client);
        return client;
    }
}
