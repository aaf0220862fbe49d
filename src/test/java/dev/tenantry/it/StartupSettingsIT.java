package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions whose clients ask for different settings at start-up share connections, of which each node has one. */
class StartupSettingsIT {

    private static final String PID = "SELECT pg_backend_pid() FROM begun.t";
    private static final Map<String, String> ASKED = Map.of(
            "application_name", "asked", "DateStyle", "SQL, DMY", "options", "-c search_path=begun -c work_mem=9MB");
    private static final Map<String, String> OTHER =
            Map.of("application_name", "other", "DateStyle", "German", "options", "-c work_mem=5MB -c other.custom=1");

    private static Cluster cluster;
    private static PostgresNode node;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private ProxyServer proxy;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        node = cluster.worker(1);
        try (RawClient client = cluster.login()) {
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA begun");
            client.succeed("CREATE TABLE begun.t AS SELECT 1 AS id");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void open() throws IOException {
        Eventually.holds("the nodes are known to be traceless", () -> {
            var catalog = cluster.tenantry().catalog();
            return catalog.current().nodes().stream()
                    .allMatch(each -> catalog.traceless().isKnown(each.nodeId()));
        });
        PoolLimits limits = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, 5_000, 100));
        proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(limits), point -> {});
        opened.add(proxy);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    @Test
    void shareOneConnection() {
        RawClient first = login(ASKED);
        RawClient second = login(Map.of("options", "-c search_path=begun"));
        String pid = first.value(PID);
        for (int i = 0; i < 3; i++) {
            assertThat(second.value(PID)).isEqualTo(pid);
            assertThat(second.value("SELECT current_setting('work_mem') || current_setting('application_name') FROM t"))
                    .isEqualTo("4MB");
            assertThat(first.value(PID)).isEqualTo(pid);
            assertThat(first.value("SELECT current_setting('work_mem') || current_setting('application_name') FROM t"))
                    .isEqualTo("9MBasked");
        }
        assertThat(first.parameters())
                .containsEntry("application_name", "asked")
                .containsEntry("DateStyle", "SQL, DMY");
    }

    /** Statements are parted by bars; between them, outside of blocks, another session has the connection. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET work_mem TO '11MB'|RESET work_mem|SHOW work_mem",
                "SET work_mem TO '11MB'|SET work_mem TO DEFAULT|SHOW work_mem",
                "SET work_mem TO '11MB'|RESET ALL|SHOW work_mem|SHOW search_path|SHOW datestyle",
                "SET search_path TO public|SET jit TO off|RESET ALL|SHOW jit|SELECT id FROM t",
                "SET application_name TO 'set'|DISCARD ALL|SHOW application_name|SHOW work_mem|SELECT id FROM t",
                "PREPARE p AS SELECT 1|DISCARD ALL|EXECUTE p|PREPARE p AS SELECT 2|EXECUTE p",
                "SET work_mem TO '11MB'|BEGIN|RESET work_mem|SHOW work_mem|ROLLBACK|SHOW work_mem",
                "SET work_mem TO '11MB'|BEGIN|RESET ALL|SHOW work_mem|COMMIT|SHOW work_mem",
                "BEGIN|SET LOCAL work_mem TO '11MB'|SET LOCAL work_mem TO DEFAULT|SHOW work_mem|COMMIT|SHOW work_mem",
                "BEGIN|SET work_mem TO '11MB'|SAVEPOINT b|RESET work_mem|ROLLBACK TO b|SHOW work_mem|COMMIT",
                "BEGIN|SELECT 1/0|RESET work_mem|RESET ALL|DISCARD ALL|ROLLBACK",
                "BEGIN|DISCARD ALL|SHOW work_mem|ROLLBACK|SHOW work_mem",
                "SET work_mem TO '11MB'|RESET work_mem; SHOW work_mem; SELECT id FROM t",
                "SET work_mem TO '11MB'|RESET work_mem; SELECT 1/0|SHOW work_mem",
                "SET search_path TO public|CLOSE ALL; UNLISTEN *; RESET ALL;|SELECT id FROM t",
                "SET LOCAL work_mem TO DEFAULT|SHOW work_mem",
                "SET datestyle TO DMY|SET datestyle TO ISO|SHOW datestyle|RESET datestyle|SHOW datestyle",
                "BEGIN|SET LOCAL datestyle TO MDY|SELECT '1/2/2003'::date|COMMIT|SELECT '1/2/2003'::date"
            })
    void goBackToWhatTheyBeganWith(String script) {
        RawClient other = login(OTHER);
        RawClient client = login(ASKED);
        RawClient server = keep(SuperuserLogin.at(node.host(), node.port(), ASKED));
        String status = "I";
        for (String sql : script.split("\\|", -1)) {
            if (status.equals("I")) {
                other.succeed("SELECT FROM begun.t");
            }
            List<Message> answer = client.run(sql);
            assertThat(seen(answer)).as(sql).isEqualTo(seen(server.run(sql)));
            status = answer.getLast().text();
        }
        assertThat(told(client)).isEqualTo(told(server));
    }

    /** Where the text does not tell whether set_config is run, RESET finds another value than is known. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "?app.tenant|SHOW app.tenant|RESET app.tenant|SHOW app.tenant",
                "?work_mem|SET work_mem TO DEFAULT|SHOW work_mem",
                "?application_name|RESET application_name; SHOW application_name",
                "!app.tenant|RESET app.tenant|SHOW app.tenant",
                "!application_name|SET application_name TO DEFAULT|SHOW application_name",
                "!datestyle|RESET datestyle|SHOW datestyle",
                "?app.tenant|!work_mem|RESET ALL|SHOW app.tenant|SHOW work_mem",
                "?app.tenant|!work_mem|DISCARD ALL|SHOW app.tenant|SHOW work_mem",
                "?app.tenant|BEGIN|RESET app.tenant|SHOW app.tenant|ROLLBACK|SHOW app.tenant|RESET app.tenant",
                "BEGIN|?app.tenant|RESET app.tenant|SHOW app.tenant|COMMIT|SHOW app.tenant",
                "BEGIN|!app.tenant|SET LOCAL app.tenant TO DEFAULT|SHOW app.tenant|COMMIT|SHOW app.tenant|RESET ALL",
                "BEGIN|SET LOCAL work_mem TO DEFAULT|?work_mem|SET LOCAL work_mem TO DEFAULT|SHOW work_mem|ROLLBACK"
            })
    void goBackFromWhatNobodyHasRead(String script) {
        Map<String, String> asked = Map.of(
                "application_name", "asked", "DateStyle", "SQL, DMY", "options", "-c app.tenant=4MB -c work_mem=9MB");
        RawClient client = login(asked);
        RawClient server = keep(SuperuserLogin.at(node.host(), node.port(), asked));
        client.succeed("SELECT FROM begun.t");
        for (String sql : script.split("\\|", -1)) {
            String value = sql.endsWith("datestyle") ? "German" : "11MB";
            String set = "set_config('" + sql.substring(1) + "', '" + value + "', false)";
            String written = switch (sql.charAt(0)) {
                case '?' -> "SELECT CASE WHEN random() >= 0 THEN " + set + " END";
                case '!' -> "DO $$ BEGIN PERFORM " + set + "; END $$";
                default -> sql;
            };
            assertThat(seen(client.run(written))).as(written).isEqualTo(seen(server.run(written)));
        }
        assertThat(told(client)).isEqualTo(told(server));
        login(OTHER).succeed("SELECT FROM begun.t"); // nothing is left that would keep the connection
    }

    @ParameterizedTest
    @ValueSource(strings = {"RESET work_mem", "SET work_mem TO DEFAULT", "RESET ALL", "DISCARD ALL"})
    void goBackByTheExtendedProtocol(String sql) {
        RawClient other = login(OTHER);
        RawClient client = login(ASKED);
        client.succeed("SET work_mem TO '11MB'");
        client.parse("back", sql).describe('S', "back").sync().flushOut();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("1tnZ");
        other.succeed("SELECT FROM begun.t");
        client.bind("", "back").execute("", 0).sync().flushOut();
        assertThat(Message.types(client.readUntilReady())).endsWith("2CZ");
        assertThat(client.value("SHOW work_mem")).isEqualTo("9MB");
        client.succeed("SET work_mem TO '11MB'");
        client.parse("", sql).bind("", "").execute("", 0);
        client.parse("", "SELECT 1 / 0").bind("", "").execute("", 0).sync().flushOut();
        assertThat(Message.only(client.readUntilReady(), 'E').sqlState()).isEqualTo("22012");
        assertThat(client.value("SHOW work_mem")).isEqualTo(sql.startsWith("DISCARD") ? "9MB" : "11MB");
    }

    /** Which have an effect from the start only: such a session has connections of its own. */
    @Test
    void haveWhatConnectionsMustBeginWith() {
        RawClient client = login(Map.of("options", "-c ignore_system_indexes=on -c work_mem=9MB"));
        assertThat(client.value("SHOW ignore_system_indexes")).isEqualTo("on");
        RawClient role = login(Map.of("options", "-c role=pg_monitor"));
        role.succeed("RESET ROLE");
        assertThat(role.value("SELECT current_user")).isEqualTo("pg_monitor");
    }

    @Test
    void leaveNothingOfWhatCanNotBeHad() {
        for (String wrong : List.of("-c work_mem=nonsense", "-c no_such_setting=1", "-c max_connections=9")) {
            Map<String, String> startup = Map.of("application_name", "wrong", "options", wrong);
            Message error = refusal("127.0.0.1", proxy.address().getPort(), startup);
            assertThat(error.sqlState())
                    .isEqualTo(refusal(node.host(), node.port(), startup).sqlState());
            assertThat(login(Map.of()).value("SHOW application_name")).isEmpty();
        }
    }

    private Message refusal(String host, int port, Map<String, String> startup) {
        Superuser superuser = Superuser.DEFAULT;
        Map<String, String> all = new HashMap<>(startup);
        all.putAll(Map.of("user", superuser.name(), "database", superuser.database()));
        return keep(RawClient.connect(host, port))
                .trySignIn(RawClient.PROTOCOL_3_0, superuser.password(), all)
                .getLast();
    }

    private static List<String> seen(List<Message> answer) {
        List<String> seen = new ArrayList<>();
        for (Message message : answer) {
            switch (message.type()) {
                case 'E' -> seen.add("E " + message.sqlState());
                case 'D', 'C', 'Z' -> seen.add(message.type() + " " + message.text());
                case 'S' -> {
                    // compared at the end
                }
                default -> seen.add("" + message.type());
            }
        }
        return seen;
    }

    private static Map<String, String> told(RawClient client) {
        Map<String, String> told = new HashMap<>(client.parameters());
        told.keySet().retainAll(List.of("application_name", "DateStyle", "search_path", "client_encoding"));
        return told;
    }

    private RawClient login(Map<String, String> startup) {
        return keep(SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), startup));
    }

    private RawClient keep(RawClient client) {
        opened.add(client);
        return client;
    }
}
