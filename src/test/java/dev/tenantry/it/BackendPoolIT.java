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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a session leaves to the next one: the connection, and nothing else. */
class BackendPoolIT {

    private static final String PID = "SELECT pg_backend_pid()";
    private static final String AT_WORKER = "SET search_path TO pooled";

    private static Cluster cluster;
    private ProxyServer proxy;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA pooled");
            client.succeed("CREATE TABLE pooled.t (id serial, note text)");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** One event loop, so that the next session is where the last was. */
    @BeforeEach
    void startProxy() throws IOException {
        proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(PoolLimits.keeping(50)), point -> {});
    }

    @AfterEach
    void stopProxy() {
        proxy.close();
    }

    @Test
    void handsTheConnectionToTheNextSession() {
        String first = used("SELECT 1");
        assertThat(used("SELECT 1")).isEqualTo(first);
        assertThat(used("SELECT 1")).isEqualTo(first);
    }

    @Test
    void handsOverNothingElse() {
        String first;
        String path;
        try (RawClient client = login(Map.of())) {
            path = client.value("SHOW search_path");
            client.succeed(AT_WORKER);
            first = client.value(PID);
            client.succeed("SET work_mem TO '7MB'");
            client.succeed("SET application_name TO 'the first'");
            client.succeed("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
            client.succeed("SET ROLE pg_monitor");
            client.succeed("RESET ROLE");
            client.succeed("SET default_transaction_read_only TO off");
            client.succeed("INSERT INTO t (note) VALUES ('kept')");
            client.succeed("PREPARE named AS SELECT 1");
            client.succeed("DECLARE held CURSOR WITH HOLD FOR SELECT 1");
            client.succeed("SELECT pg_advisory_lock(4711)");
            client.succeed("LISTEN pooled_channel");
            client.parse("parsed", "SELECT 2").sync().flushOut();
            client.readUntilReady();
            leave(client);
        }
        try (RawClient client = login(Map.of())) {
            assertThat(client.parameters()).containsEntry("application_name", "");
            assertThat(client.value("SHOW search_path")).isEqualTo(path);
            client.succeed(AT_WORKER);
            assertThat(client.value(PID)).isEqualTo(first);
            assertThat(client.value("SHOW work_mem")).isEqualTo("4MB");
            assertThat(client.value("SHOW application_name")).isEmpty();
            assertThat(client.value("SHOW default_transaction_read_only")).isEqualTo("off");
            assertThat(client.value("SELECT coalesce(current_setting('tenantry_test.note', true), '')"))
                    .isEmpty();
            assertThat(client.value("SELECT current_user = session_user")).isEqualTo("t");
            assertThat(client.value("SELECT count(*) FROM pg_prepared_statements"))
                    .isEqualTo("0");
            assertThat(client.value("SELECT count(*) FROM pg_cursors")).isEqualTo("0");
            assertThat(client.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
                    .isEqualTo("0");
            assertThat(client.value("SELECT count(*) FROM pg_listening_channels()"))
                    .isEqualTo("0");
            assertThat(error(client, "SELECT currval('t_id_seq')")).isEqualTo("55000");
            assertThat(error(client, "EXECUTE named")).isEqualTo("26000");
            client.parse("parsed", "SELECT 3")
                    .bind("", "parsed")
                    .execute("", 0)
                    .sync()
                    .flushOut();
            assertThat(Message.only(client.readUntilReady(), 'D').text()).endsWith("3");
        }
    }

    /** What DISCARD ALL leaves behind in a server process. */
    @ParameterizedTest
    @ValueSource(strings = {"SET tenantry_test.note TO 'mine'", "CREATE TEMP TABLE mine (id int)"})
    void endsConnectionsThatCanNotBeMadeLikeNew(String sql) {
        String first = used(AT_WORKER);
        try (RawClient client = login(Map.of())) {
            client.succeed(AT_WORKER);
            client.succeed(sql);
            assertThat(client.value(PID)).isEqualTo(first);
            leave(client);
        }
        try (RawClient client = login(Map.of())) {
            client.succeed(AT_WORKER);
            assertThat(client.value(PID)).isNotEqualTo(first);
            assertThat(client.value("SELECT current_setting('tenantry_test.note', true) IS NULL"))
                    .isEqualTo("t");
            assertThat(client.value("SELECT pg_my_temp_schema()")).isEqualTo("0");
            leave(client);
        }
    }

    @Test
    void endsConnectionsThatAreInTransactions() {
        String first = used(AT_WORKER);
        try (RawClient client = login(Map.of())) {
            client.succeed(AT_WORKER);
            client.succeed("BEGIN");
            client.succeed("INSERT INTO pooled.t (note) VALUES ('never')");
            assertThat(client.value(PID)).isEqualTo(first);
            leave(client);
        }
        assertThat(used(AT_WORKER)).isNotEqualTo(first);
        Eventually.holds("the roll-back", () -> {
            try (RawClient client = login(Map.of())) {
                return client.value("SELECT count(*) FROM pooled.t WHERE note = 'never'")
                        .equals("0");
            }
        });
    }

    @Test
    void endsConnectionsWhoseClientLeavesInTheMiddleOfABatch() {
        String first = used(AT_WORKER);
        try (RawClient client = login(Map.of())) {
            client.succeed(AT_WORKER);
            assertThat(client.value(PID)).isEqualTo(first);
            client.parse("", "INSERT INTO pooled.t (note) VALUES ('half')")
                    .bind("", "")
                    .execute("", 0)
                    .flush()
                    .flushOut();
            client.readUntil('C');
            leave(client);
        }
        assertThat(used(AT_WORKER)).isNotEqualTo(first);
        Eventually.holds("the roll-back", () -> {
            try (RawClient client = login(Map.of())) {
                return client.value("SELECT count(*) FROM pooled.t WHERE note = 'half'")
                        .equals("0");
            }
        });
    }

    @Test
    void keepsOtherStartupParametersAndRolesApart() {
        String plain = used("SELECT 1");
        try (RawClient client = login(Map.of("options", "-c work_mem=9MB"))) {
            assertThat(client.value("SHOW work_mem")).isEqualTo("9MB");
            assertThat(client.value(PID)).isNotEqualTo(plain);
            leave(client);
        }
        try (RawClient client = login(Map.of("options", "-c work_mem=9MB"))) {
            assertThat(client.value("SHOW work_mem")).isEqualTo("9MB");
            client.succeed("CREATE ROLE pool_role LOGIN PASSWORD 'pool_role'");
            leave(client);
        }
        try (RawClient client = RawClient.connect(host(), port())
                .signIn(RawClient.PROTOCOL_3_0, "pool_role", startup("pool_role", Map.of()))) {
            assertThat(client.value(PID)).isNotEqualTo(plain);
            assertThat(client.value("SELECT session_user")).isEqualTo("pool_role");
            leave(client);
        }
        assertThat(used("SELECT 1")).isEqualTo(plain);
    }

    @Test
    void givesNewSessionsWhatAlterRoleHasSet() {
        try (RawClient client = login(Map.of())) {
            client.succeed("CREATE ROLE pool_set LOGIN PASSWORD 'pool_set'");
        }
        Map<String, String> startup = startup("pool_set", Map.of());
        String first;
        try (RawClient client = RawClient.connect(host(), port()).signIn(RawClient.PROTOCOL_3_0, "pool_set", startup)) {
            first = client.value(PID);
            leave(client);
        }
        try (RawClient client = login(Map.of())) {
            client.succeed("ALTER ROLE pool_set SET work_mem TO '11MB'");
        }
        Eventually.holds("the proxy to know of it", () -> {
            try (RawClient client =
                    RawClient.connect(host(), port()).signIn(RawClient.PROTOCOL_3_0, "pool_set", startup)) {
                return !client.value(PID).equals(first)
                        && client.value("SHOW work_mem").equals("11MB");
            }
        });
    }

    @Test
    void replacesConnectionThatTheNodeHasEnded() {
        String first = used("SELECT 1");
        try (RawClient client = cluster.login()) {
            assertThat(client.value("SELECT pg_terminate_backend(" + first + ", 10000)"))
                    .isEqualTo("t");
        }
        String second = used("SELECT 1");
        assertThat(second).isNotEqualTo(first);
        assertThat(used("SELECT 1")).isEqualTo(second);
    }

    @Test
    void makesRoomWhenTheNodeHasNoneLeft() {
        try (RawClient client = login(Map.of())) {
            client.succeed("CREATE ROLE pool_narrow LOGIN PASSWORD 'pool_narrow' CONNECTION LIMIT 2");
        }
        Map<String, String> one = startup("pool_narrow", Map.of("application_name", "one"));
        Map<String, String> other = startup("pool_narrow", Map.of("application_name", "other"));
        List<RawClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                clients.add(RawClient.connect(host(), port()).signIn(RawClient.PROTOCOL_3_0, "pool_narrow", one));
            }
            clients.forEach(BackendPoolIT::leave);
            clients.clear();
            for (int i = 0; i < 2; i++) {
                clients.add(RawClient.connect(host(), port()).signIn(RawClient.PROTOCOL_3_0, "pool_narrow", other));
                assertThat(clients.getLast().value("SHOW application_name")).isEqualTo("other");
            }
            List<Message> refused =
                    RawClient.connect(host(), port()).trySignIn(RawClient.PROTOCOL_3_0, "pool_narrow", other);
            assertThat(refused.getLast().sqlState()).isEqualTo("53300");
        } finally {
            clients.forEach(RawClient::close);
        }
    }

    /** The process that a session had which ran this and left. */
    private String used(String sql) {
        try (RawClient client = login(Map.of())) {
            client.succeed(sql);
            String pid = client.value(PID);
            leave(client);
            return pid;
        }
    }

    private String host() {
        return proxy.address().getHostString();
    }

    private int port() {
        return proxy.address().getPort();
    }

    private RawClient login(Map<String, String> more) {
        Superuser superuser = Superuser.DEFAULT;
        return RawClient.connect(host(), port())
                .signIn(RawClient.PROTOCOL_3_0, superuser.password(), startup(superuser.name(), more));
    }

    private static Map<String, String> startup(String user, Map<String, String> more) {
        Map<String, String> parameters = new LinkedHashMap<>(more);
        parameters.put("user", user);
        parameters.put("database", Superuser.DEFAULT.database());
        return parameters;
    }

    /** Ends a session and waits until the proxy has taken notice: what it left is on its way to the pool. */
    private static void leave(RawClient client) {
        client.terminate().flushOut();
        assertThat(client.readToEnd()).isEmpty();
    }

    private static String error(RawClient client, String sql) {
        return Message.only(client.run(sql), 'E').sqlState();
    }
}
