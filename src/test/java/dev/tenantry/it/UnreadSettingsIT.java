package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.io.IOException;
import java.sql.Connection;
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

/**
 * Transaction mode with one connection for two sessions: what a statement has set otherwise than by SET is its own
 * session's, whether or not its text tells what that is.
 */
class UnreadSettingsIT {

    private static final int WAIT_MILLIS = 600;
    private static final String ORDINARY = "SELECT FROM unread.t";
    private static final String WORK_MEM = "SELECT current_setting('work_mem') FROM unread.harmless()";

    private static Cluster cluster;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private RawClient first;
    private RawClient second;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA unread");
            client.succeed("CREATE TABLE unread.t (id int)");
            client.succeed("CREATE TABLE unread.numbered (id bigserial, note text)");
            client.succeed("CREATE FUNCTION unread.harmless() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void open() throws IOException {
        Eventually.holds("the node is known to be traceless", UnreadSettingsIT::isTraceless);
        PoolLimits limits = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, WAIT_MILLIS, 100));
        ProxyServer proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(limits), point -> {});
        opened.add(proxy);
        first = login(proxy);
        second = login(proxy);
        first.succeed("SET search_path TO unread"); // all it does is done on that node
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    /** A query that gives one row answers an Execute for one row with PortalSuspended, and has done all it does. */
    @Test
    void knowsWhatASuspendedPortalHasSet() {
        first.parse("", "SELECT set_config('work_mem', '11MB', false)").bind("", "");
        first.execute("", 1).sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("12DsZ");
        assertThat(second.value(WORK_MEM)).isEqualTo("4MB");
        assertThat(first.value(WORK_MEM)).isEqualTo("11MB");
    }

    @Test
    void setsNothingAnewWhenASuspendedPortalGoesOn() {
        first.succeed("BEGIN");
        first.parse("", "SELECT set_config('work_mem', '11MB', false)").bind("p", "");
        first.execute("p", 1).sync().flushOut();
        first.readUntilReady();
        first.succeed("SET work_mem TO '7MB'");
        first.execute("p", 0).sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("CZ");
        first.succeed("COMMIT");
        assertThat(second.value(WORK_MEM)).isEqualTo("4MB");
        assertThat(first.value(WORK_MEM)).isEqualTo("7MB");
    }

    /** Who has this setting already is given the connection as it is, if it is thought to have it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "PREPARE p AS SELECT set_config('work_mem', '11MB', false)",
                "SELECT set_config('work_mem', '11MB', false) WHERE false",
                "SELECT set_config('work_mem', '11MB', false) FROM unread.t",
                "SELECT set_config('work_mem', '11MB', false) LIMIT 0",
                "SELECT CASE WHEN count(*) > 0 THEN set_config('work_mem', '11MB', false) END FROM unread.t",
                "EXPLAIN SELECT set_config('work_mem', '11MB', false)"
            })
    void takesNothingForSetThatIsNot(String sql) {
        first.succeed(sql);
        assertThat(first.value(WORK_MEM)).isEqualTo("4MB");
        second.succeed("SET work_mem TO '11MB'");
        assertThat(second.value(WORK_MEM)).isEqualTo("11MB");
        assertThat(first.value(WORK_MEM)).isEqualTo("4MB");
    }

    @Test
    void explainsWhatIsPreparedWithoutRunningIt() {
        first.succeed("PREPARE p AS SELECT set_config('work_mem', '11MB', false)");
        first.succeed("EXPLAIN EXECUTE p");
        second.succeed("SET work_mem TO '11MB'");
        assertThat(second.value(WORK_MEM)).isEqualTo("11MB");
        assertThat(first.value(WORK_MEM)).isEqualTo("4MB");
        first.succeed("EXECUTE p");
        second.succeed("RESET work_mem");
        assertThat(second.value(WORK_MEM)).isEqualTo("4MB");
        assertThat(first.value(WORK_MEM)).isEqualTo("11MB");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PREPARE p(text) AS SELECT set_config('work_mem', $1, false); EXECUTE p('11MB'::text)",
                "PREPARE p(int) AS SELECT set_config('work_mem', $1 || 'MB', false); EXECUTE p(11)",
                "SELECT set_config('work_mem', concat(11, 'MB'), false)",
                "SELECT set_config(lower('WORK_MEM'), '11MB', false)",
                "BEGIN; SELECT FROM t; UPDATE pg_settings SET setting = 11264 WHERE name = 'work_mem'; COMMIT"
            })
    void keepsTheConnectionWithWhoHasSetWhatIsNotKnown(String sql) {
        for (String one : sql.split("; ", -1)) {
            first.succeed(one);
        }
        assertRefused(second);
        assertThat(first.value(WORK_MEM)).isEqualTo("11MB");
        first.succeed("DISCARD ALL");
        Eventually.passes(() -> second.succeed(ORDINARY));
    }

    /** No server tells which settings with a prefix are set. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT set_config('app.tenant', lower('ACME'), false)",
                "SELECT set_config('app.tenant', 'acme', false) FROM unread.harmless()",
                "SET app.tenant TO 'other'; SELECT set_config('app.tenant', lower('ACME'), false)"
            })
    void keepsTheConnectionWithWhoHasSetOneWithAPrefix(String sql) {
        for (String one : sql.split("; ", -1)) {
            first.succeed(one);
        }
        assertRefused(second);
        assertThat(first.value("SELECT current_setting('app.tenant')")).isEqualTo("acme");
    }

    /** It goes back with the implicit transaction that it was in. */
    @ParameterizedTest
    @ValueSource(strings = {"RESET app.tenant", "RESET ALL"})
    void keepsTheConnectionWhereAResetWasUndone(String reset) {
        first.succeed("SELECT set_config('app.tenant', lower('ACME'), false)");
        first.run(reset + "; SELECT 1/0");
        assertRefused(second);
        assertThat(first.value("SELECT current_setting('app.tenant')")).isEqualTo("acme");
        first.parse("", reset).bind("", "").execute("", 0);
        first.parse("", "SELECT 1/0").bind("", "").execute("", 0).sync().flushOut();
        first.readUntilReady();
        assertRefused(second);
        assertThat(first.value("SELECT current_setting('app.tenant')")).isEqualTo("acme");
    }

    /** A role is not among what pg_settings tells, and RESET ALL does not touch it. */
    @ParameterizedTest
    @ValueSource(strings = {"", "RESET ALL"})
    void givesNobodyARoleThatAnotherHasTaken(String after) {
        first.succeed(
                "SELECT CASE WHEN random() >= 0 THEN set_config('role', 'pg_monitor', false) END FROM harmless()");
        if (!after.isEmpty()) {
            first.succeed(after);
        }
        assertRefused(second);
        assertThat(first.value("SHOW role")).isEqualTo("pg_monitor");
        first.succeed("DISCARD ALL");
        Eventually.passes(() -> second.succeed(ORDINARY));
    }

    @Test
    void keepsTheConnectionWithWhoHasSetALongValue() {
        String claims = "x".repeat(70_000);
        first.parse("", "SELECT set_config('app.claims', $1, false)").bind("", "", claims);
        first.execute("", 0).sync().flushOut();
        first.readUntilReady();
        assertRefused(second);
        assertThat(first.value("SELECT length(current_setting('app.claims'))")).isEqualTo("70000");
    }

    @Test
    void readsValuesThatAreCast() {
        first.parse("", "SELECT set_config('app.tenant', $1::text, false), set_config('work_mem', '11MB'::text, false)")
                .bind("", "", "acme");
        first.execute("", 0).sync().flushOut();
        first.readUntilReady();
        second.succeed("SET app.tenant TO 'other'");
        assertThat(second.value("SELECT current_setting('app.tenant') || current_setting('work_mem')"
                        + " FROM unread.harmless()"))
                .isEqualTo("other4MB");
        assertThat(first.value("SELECT current_setting('app.tenant') || current_setting('work_mem')"
                        + " FROM unread.harmless()"))
                .isEqualTo("acme11MB");
    }

    @Test
    void findsWhatFunctionsHaveSet() throws SQLException {
        try (Connection direct = cluster.connectToNodeOf("unread");
                Statement sql = direct.createStatement()) {
            sql.execute("CREATE FUNCTION unread.login(name text, path text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
                    + " PERFORM set_config('app.who', name, false), set_config('search_path', path, false); END $$");
            try {
                Eventually.holds("the node is not traceless", () -> !isTraceless());
                Eventually.holds(
                        "its settings are known",
                        () -> cluster.tenantry()
                                .catalog()
                                .traceless()
                                .settings(nodeId())
                                .contains("app.who"));
                first.succeed("SELECT login('joe', 'unread')");
                assertRefused(second);
                assertThat(first.value("SELECT current_setting('app.who')")).isEqualTo("joe");
                first.succeed("DISCARD ALL");
                Eventually.passes(() -> second.succeed(ORDINARY));
                first.succeed("SET search_path TO unread");
                first.succeed("ALTER ROLE tenantry SET app.who TO 'of the role'");
                first.succeed("SELECT login('of the role', 'unread')");
                Eventually.passes(() -> second.succeed(ORDINARY));
                first.succeed("ALTER ROLE tenantry RESET app.who");
                first.succeed("SELECT login('', 'unread, public')");
                second.run(ORDINARY); // gets the connection where the server tells of a new search_path
                assertThat(first.value("SHOW search_path")).isEqualTo("unread, public");
            } finally {
                sql.execute("DROP FUNCTION unread.login(text, text)");
                sql.execute("CREATE OR REPLACE FUNCTION unread.harmless() RETURNS int LANGUAGE sql AS 'SELECT 1'");
            }
        }
    }

    @Test
    void keepsTheTemporaryTableThatExecuteHasMade() {
        first.succeed("PREPARE p AS SELECT 1 AS id FROM unread.harmless()");
        first.succeed("CREATE TEMP TABLE mine AS EXECUTE p");
        assertRefused(second);
        assertThat(first.value("SELECT id FROM mine")).isEqualTo("1");
    }

    @Test
    void tellsNobodyWhatASequenceHasGivenToExecute() {
        first.succeed("PREPARE p AS INSERT INTO unread.numbered (note) VALUES ('x')");
        first.succeed("EXECUTE p");
        second.succeed(ORDINARY);
        assertThat(Message.only(second.run("SELECT lastval() FROM unread.harmless()"), 'E')
                        .sqlState())
                .isEqualTo("55000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SET client_encoding TO 'SJIS'", "SELECT set_config('client_encoding', 'GBK', false)"})
    void refusesEncodingsThatCannotBeRead(String sql) {
        assertThat(Message.only(first.run(sql), 'E').sqlState()).isEqualTo("0A000");
        assertThat(Message.only(first.run("SELECT 1; " + sql), 'E').sqlState()).isEqualTo("0A000");
        first.parse("", sql).bind("", "").execute("", 0).sync().flushOut();
        assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("0A000");
        first.parse("", "SELECT set_config('client_encoding', $1, false)").bind("", "", "BIG5");
        first.execute("", 0).sync().flushOut();
        assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("0A000");
        // What nobody could see is seen when the server tells.
        assertThat(Message.only(first.run("SELECT set_config('client_encoding', lower('JOHAB'), false)"), 'E')
                        .sqlState())
                .isEqualTo("0A000");
        assertThat(first.value("SHOW client_encoding")).isEqualTo("UTF8");
    }

    private RawClient login(ProxyServer at) {
        RawClient client =
                SuperuserLogin.at(at.address().getHostString(), at.address().getPort(), Map.of());
        opened.add(client);
        return client;
    }

    private static int nodeId() {
        return cluster.tenantry().catalog().current().nodes().stream()
                .filter(node -> node.name().equals("worker1"))
                .findFirst()
                .orElseThrow()
                .nodeId();
    }

    private static boolean isTraceless() {
        return cluster.tenantry().catalog().traceless().isKnown(nodeId());
    }

    private static void assertRefused(RawClient client) {
        assertThat(Message.only(client.run(ORDINARY), 'E').sqlState()).isEqualTo("53300");
    }
}
