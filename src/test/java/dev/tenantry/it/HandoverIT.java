package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.catalog.TracelessNodes;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.ShownRows;
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

/** Transaction mode where nothing leaves a trace unseen: connections go from session to session as they are. */
class HandoverIT {

    private static final int WAIT_MILLIS = 600;
    private static final String ORDINARY = "SELECT FROM handed.t";

    private static Cluster cluster;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private ProxyServer proxy;
    private RawClient first;
    private RawClient second;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA handed");
            client.succeed("CREATE TABLE handed.t (id int)");
            client.succeed("CREATE TABLE handed.changed (id int)");
            client.succeed("CREATE TABLE public.on_coordinator (id int)");
            client.succeed("CREATE TABLE handed.numbered (id bigserial, note text)");
            client.succeed("CREATE AGGREGATE handed.total (int) (sfunc = int4pl, stype = int)");
            client.succeed("CREATE FUNCTION handed.harmless() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void open() throws IOException {
        Eventually.holds("the node is known to be traceless", HandoverIT::isTraceless);
        proxy = proxy(1, WAIT_MILLIS);
        first = login(proxy);
        second = login(proxy);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    @Test
    void goesOnAsItIs() {
        first.succeed("SET search_path TO handed");
        first.succeed("SET work_mem TO '7MB'");
        first.parse("firsts", "SELECT count(*) FROM t").sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("1Z");
        second.succeed("SET search_path TO handed");
        assertThat(second.value(
                        "SELECT current_setting('work_mem') FROM generate_series(1, (SELECT 1 + count(*) FROM t))"))
                .isEqualTo("4MB");
        // Nothing was discarded in between.
        assertThat(second.value("SELECT name FROM pg_prepared_statements WHERE name = 'firsts'"))
                .isEqualTo("firsts");
        first.bind("", "firsts").execute("", 0).sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("2DCZ");
        assertThat(first.value("SHOW work_mem")).isEqualTo("7MB");
    }

    /** What a batch has set is undone with it, also where another node has a part in it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void knowsWhatABatchOverTwoNodesHasUndone(boolean string) {
        first.succeed(ORDINARY);
        first.succeed("SET work_mem TO '11MB'");
        String failing = "INSERT INTO public.on_coordinator SELECT 1/0";
        if (string) {
            first.query("RESET work_mem; SELECT FROM handed.t; " + failing).flushOut();
        } else {
            first.parse("", "RESET work_mem").bind("", "").execute("", 0);
            first.parse("", ORDINARY).bind("", "").execute("", 0);
            first.parse("", failing).bind("", "").execute("", 0).sync().flushOut();
        }
        assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("22012");
        assertThat(second.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                .isEqualTo("4MB");
        assertThat(first.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                .isEqualTo("11MB");
    }

    /** The next string is not taken for the rest of one that its node has left half answered. */
    @Test
    void countsTheStatementsOfAStringFromTheBeginning() {
        first.succeed(ORDINARY);
        first.query("SET work_mem TO '5MB'; SELECT pg_terminate_backend(pg_backend_pid()) FROM handed.harmless()")
                .flushOut();
        assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("57P01");
        first.succeed("SET work_mem TO '7MB'; " + ORDINARY);
        assertThat(second.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                .isEqualTo("4MB");
        assertThat(first.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                .isEqualTo("7MB");
    }

    /** What is left of a message that has gone in part must not be taken for another session's, or the other way. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leavesNoConnectionInTheMiddleOfAMessage(boolean string) {
        byte[] head = {'d', 0, 0, 0, 100, 'n', 'o', ' ', 'n', 'u', 'm', 'b', 'e', 'r', '\n'};
        String copy = "COPY handed.t FROM STDIN";
        first.query(string ? "SELECT FROM public.on_coordinator; " + copy : copy)
                .flushOut();
        first.readUntil('G');
        first.copyData("neither\n").raw(head).flushOut();
        if (!string) {
            assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("22P02");
        }
        second.query(ORDINARY).flushOut();
        first.raw(new byte[86]).flushOut();
        if (string) {
            assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("22P02");
        }
        assertThat(Message.types(second.readUntilReady())).isEqualTo("TCZ");
        first.succeed(ORDINARY);
        first.query(copy).flushOut();
        first.readUntil('G');
        first.copyData("neither\n").raw(head).flushOut();
        assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("22P02");
        first.close();
        second.succeed(ORDINARY);
    }

    /** NULL is the default. */
    @ParameterizedTest
    @ValueSource(strings = {"$1", "NULL"})
    void forgetsASettingThatIsSetToNull(String value) {
        first.succeed(ORDINARY);
        first.succeed("SET work_mem TO '11MB'");
        boolean bound = value.equals("$1");
        first.parse("", "SELECT set_config('work_mem', " + value + ", false)");
        first.bind("", "", bound ? new String[] {null} : new String[0]);
        first.execute("", 0).sync().flushOut();
        assertThat(Message.only(first.readUntilReady(), 'D').text()).contains("4MB");
        second.succeed(ORDINARY);
        assertThat(first.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                .isEqualTo("4MB");
        first.succeed("SET work_mem TO '11MB'");
        first.succeed("PREPARE setting (text) AS SELECT set_config('work_mem', $1, false)");
        first.succeed("EXECUTE setting (NULL)");
        second.succeed(ORDINARY);
        assertThat(first.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                .isEqualTo("4MB");
    }

    @Test
    void bringsALongSettingAlong() {
        String path = "handed, " + "x".repeat(2_000).replaceAll("x{40}", "$0, ") + "public";
        first.parse("", "SELECT set_config('search_path', $1, false)")
                .bind("", "", path)
                .execute("", 0)
                .sync()
                .flushOut();
        first.readUntilReady();
        assertThat(first.value("SELECT count(*) FROM t")).isEqualTo("0");
        second.succeed(ORDINARY);
        assertThat(first.value("SHOW search_path")).isEqualTo(path);
    }

    @Test
    void answersManySessionsThatAskAtTheSameTime() throws IOException {
        ProxyServer larger = proxy(2, 60_000);
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            clients.add(login(larger));
        }
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).query("SELECT " + i + " FROM handed.harmless()").flushOut();
            }
            for (int i = 0; i < clients.size(); i++) {
                assertThat(Message.only(clients.get(i).readUntilReady(), 'D').text())
                        .contains(String.valueOf(i));
            }
        }
    }

    @Test
    void parsesOnceWhatTwoSessionsPrepare() {
        prepare(first, "SELECT count(*) FROM handed.t");
        prepare(second, "SELECT count(*) FROM handed.t"); // the client's own Parse always goes to the node
        String parsed = prepareTime(second);
        assertThat(run(first)).isEqualTo("0");
        assertThat(prepareTime(first)).isEqualTo(parsed);
        assertThat(run(second)).isEqualTo("0");
        assertThat(prepareTime(second)).isEqualTo(parsed);
    }

    @Test
    void parsesAnewWhereSettingsDecideWhatAStatementMeans() {
        first.succeed("SET search_path TO handed");
        prepare(first, "SELECT current_schema() FROM (SELECT count(*) FROM handed.t) t");
        prepare(second, "SELECT current_schema() FROM (SELECT count(*) FROM handed.t) t");
        String parsed = prepareTime(second);
        assertThat(run(first)).isEqualTo("handed");
        assertThat(prepareTime(first)).isNotEqualTo(parsed);
        assertThat(run(second)).isEqualTo("public");
    }

    @Test
    void parsesOnceWhateverTheModesOfTransactions() {
        prepare(second, "SELECT count(*) FROM handed.t");
        prepare(first, "SELECT count(*) FROM handed.t");
        String parsed = prepareTime(first);
        second.succeed("BEGIN ISOLATION LEVEL REPEATABLE READ");
        assertThat(run(second)).isEqualTo("0");
        assertThat(prepareTime(second)).isEqualTo(parsed);
    }

    @Test
    void parsesAnewWhatWasParsedWithSettingsOfTheTransaction() {
        prepare(first, "dated", "SELECT '02/01/2000'::date::text FROM handed.harmless()");
        second.succeed("BEGIN");
        second.succeed("SET LOCAL datestyle TO 'ISO, DMY'");
        prepare(second, "dated", "SELECT '02/01/2000'::date::text FROM handed.harmless()");
        second.succeed("COMMIT");
        assertThat(run(first, "dated")).isEqualTo("2000-02-01");
    }

    /** Else the server would say that the cached plan must not change its result type, which is true of the first's. */
    @ParameterizedTest
    @ValueSource(strings = {"ROLLBACK", "ROLLBACK TO SAVEPOINT a", "SELECT 1 / 0"})
    void parsesAnewWhatWasParsedInATransactionThatIsUndone(String undo) {
        prepare(second, "SELECT * FROM handed.t");
        first.succeed("BEGIN");
        first.succeed("SAVEPOINT a");
        first.succeed("ALTER TABLE handed.t ADD COLUMN undone int");
        prepare(first, "SELECT * FROM handed.t");
        first.run(undo);
        first.succeed("COMMIT");
        second.bind("", "same").execute("", 0).sync().flushOut();
        assertThat(Message.types(second.readUntilReady())).isEqualTo("2CZ");
    }

    @Test
    void parsesAnewWhatWasParsedInATransactionThatIsPreparedAndUndone() throws SQLException {
        prepare(second, "SELECT * FROM handed.t");
        first.succeed("BEGIN");
        first.succeed("ALTER TABLE handed.t ADD COLUMN undone int");
        prepare(first, "SELECT * FROM handed.t");
        first.succeed("PREPARE TRANSACTION 'handed'");
        try (Connection direct = cluster.connectToNodeOf("handed");
                Statement sql = direct.createStatement()) {
            sql.execute("ROLLBACK PREPARED 'handed'");
        }
        second.bind("", "same").execute("", 0).sync().flushOut();
        assertThat(Message.types(second.readUntilReady())).isEqualTo("2CZ");
    }

    @Test
    void parsesAnewWhatWasParsedInATransactionOfSeveralNodesThatIsUndone() {
        prepare(second, "SELECT * FROM handed.t");
        first.succeed("BEGIN");
        first.succeed("INSERT INTO public.on_coordinator VALUES (1)");
        first.succeed("SELECT FROM handed.t");
        first.succeed("SAVEPOINT a");
        first.succeed("ALTER TABLE handed.t ADD COLUMN undone int");
        prepare(first, "SELECT * FROM handed.t");
        first.succeed("ROLLBACK TO SAVEPOINT a");
        first.succeed("COMMIT");
        second.bind("", "same").execute("", 0).sync().flushOut();
        assertThat(Message.types(second.readUntilReady())).isEqualTo("2CZ");
    }

    /** As a server of its own would say to a session that has prepared a statement before the table was changed. */
    @Test
    void tellsThatTheResultHasChanged() throws SQLException {
        prepare(second, "SELECT * FROM handed.changed");
        prepare(first, "SELECT * FROM handed.changed");
        try (Connection direct = cluster.connectToNodeOf("handed");
                Statement sql = direct.createStatement()) {
            sql.execute("ALTER TABLE handed.changed ADD COLUMN more int");
            second.bind("", "same").execute("", 0).sync().flushOut();
            assertThat(Message.only(second.readUntilReady(), 'E').sqlState()).isEqualTo("0A000");
            sql.execute("ALTER TABLE handed.changed DROP COLUMN more");
        }
    }

    @Test
    void deallocatesWhatEndedSessionsHaveHeapedUp() throws IOException {
        for (int i = 0; i <= 1_000; i++) {
            first.parse("heap" + i, "SELECT FROM handed.t");
        }
        first.sync().flushOut();
        first.readUntilReady();
        first.close();
        assertThat(second.value("SELECT count(*) FROM handed.harmless(), pg_prepared_statements"))
                .isEqualTo("0");
    }

    @Test
    void deallocatesWhatHeapsUp() {
        for (int i = 0; i <= 1_000; i++) {
            first.parse("heap" + i, "SELECT FROM handed.t");
        }
        first.sync().flushOut();
        first.readUntilReady();
        assertThat(second.value("SELECT count(*) FROM handed.harmless(), pg_prepared_statements"))
                .isEqualTo("0");
        first.bind("", "heap7").execute("", 0).sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("2CZ");
    }

    /** The proxy runs PREPARE under a name of its own, which an error leaves behind. */
    @Test
    void countsWhatAFailedPrepareLeavesBehind() {
        first.succeed("CREATE TABLE handed.dropped (id int)");
        first.succeed("PREPARE gone AS SELECT id FROM handed.dropped");
        second.succeed(ORDINARY);
        second.succeed("DROP TABLE handed.dropped");
        first.parse("", "EXECUTE gone").bind("", "").execute("", 0).sync().flushOut();
        assertThat(Message.only(first.readUntilReady(), 'E').sqlState()).isEqualTo("42P01");
        first.succeed("DO $$ BEGIN NULL; END $$"); // so that the node is asked what the session has left
        second.succeed(ORDINARY);
        first.succeed("CREATE TABLE handed.dropped (id int)");
        first.parse("", "EXECUTE gone").bind("", "").execute("", 0).sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("12CZ");
        first.succeed("DROP TABLE handed.dropped");
    }

    /** Large objects and what else has no schema are there. */
    @Test
    void staysAtTheNodeWhoseConnectionAnotherSessionHasTaken() {
        first.succeed("SELECT FROM public.on_coordinator");
        first.succeed(ORDINARY);
        String port = first.value("SHOW port");
        second.succeed(ORDINARY);
        assertThat(first.value("SHOW port")).isEqualTo(port);
    }

    private static void prepare(RawClient client, String sql) {
        prepare(client, "same", sql);
    }

    private static void prepare(RawClient client, String name, String sql) {
        client.parse(name, sql).sync().flushOut();
        assertThat(Message.types(client.readUntilReady())).endsWith("1Z");
    }

    private static String run(RawClient client) {
        return run(client, "same");
    }

    private static String run(RawClient client, String statement) {
        client.bind("", statement).execute("", 0).sync().flushOut();
        return Message.only(client.readUntilReady(), 'D').columns().getFirst();
    }

    private static String prepareTime(RawClient client) {
        return client.value("SELECT prepare_time FROM pg_prepared_statements, handed.harmless() WHERE name = 'same'");
    }

    @Test
    void keepsTheNamesOfStatementsApart() {
        first.parse("same", "SELECT 'first' FROM handed.harmless()").sync().flushOut();
        assertThat(Message.types(first.readUntilReady())).isEqualTo("1Z");
        second.parse("same", "SELECT 'second' FROM handed.harmless()").sync().flushOut();
        assertThat(Message.types(second.readUntilReady())).isEqualTo("1Z");
        for (int i = 0; i < 3; i++) {
            assertThat(bound(first, "same")).contains("first");
            assertThat(bound(second, "same")).contains("second");
        }
    }

    private static String bound(RawClient client, String statement) {
        client.bind("", statement).execute("", 0).sync().flushOut();
        return Message.only(client.readUntilReady(), 'D').text();
    }

    @Test
    void neverTellsOneSessionWhatSequencesGaveAnother() {
        first.succeed("INSERT INTO handed.numbered (note) VALUES ('first')");
        Message refused = Message.only(second.run("SELECT lastval() FROM handed.harmless()"), 'E');
        assertThat(refused.sqlState()).isEqualTo("55000");
    }

    @Test
    void keepsConnectionOfWhoAsksForSequences() {
        first.succeed("INSERT INTO handed.numbered (note) VALUES ('first')");
        String given = first.value("SELECT lastval() FROM handed.harmless()");
        assertRefused(second);
        assertThat(first.value("SELECT currval('handed.numbered_id_seq')")).isEqualTo(given);
        assertThat(ShownRows.of(first, "SHOW tenantry.pins"))
                .extracting(row -> row.get("reason"))
                .containsExactly("currval and lastval");
        first.succeed("DISCARD ALL");
        second.succeed(ORDINARY);
    }

    @Test
    void keepsConnectionOfWhoBeginsRandomNumbers() {
        first.succeed("SELECT setseed(0.5) FROM handed.harmless()");
        assertRefused(second);
        first.succeed("DISCARD ALL");
        second.succeed(ORDINARY);
    }

    @Test
    void keepsConnectionOfWhoAsksForSessionMode() {
        first.succeed("SET tenantry.pool_mode TO 'session'");
        first.succeed(ORDINARY);
        assertRefused(second);
        first.succeed("RESET tenantry.pool_mode");
        second.succeed(ORDINARY);
    }

    @Test
    void asksTheNodeFromTheMomentThatARoutineCanLeaveSomething() throws SQLException {
        try (Connection direct = cluster.connectToNodeOf("handed");
                Statement sql = direct.createStatement()) {
            sql.execute("CREATE FUNCTION handed.sets() RETURNS text LANGUAGE sql"
                    + " AS $$ SELECT set_config('work_mem', '9MB', false) $$");
            Eventually.holds("the node is not traceless", () -> !isTraceless());
            first.succeed("SELECT handed.sets()");
            assertRefused(second);
            assertThat(first.value("SELECT current_setting('work_mem') FROM handed.harmless()"))
                    .isEqualTo("9MB");
            sql.execute("DROP FUNCTION handed.sets()");
            sql.execute("CREATE OR REPLACE FUNCTION handed.harmless() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        }
    }

    @Test
    void seesDefaultsThatLeaveSomething() throws SQLException {
        try (Connection direct = cluster.connectToNodeOf("handed");
                Statement sql = direct.createStatement()) {
            sql.execute("CREATE TABLE handed.odd (a text DEFAULT set_config('work_mem', '9MB', false))");
            Eventually.holds("the node is not traceless", () -> !isTraceless());
            sql.execute("DROP TABLE handed.odd");
            sql.execute("ALTER TABLE handed.t ALTER id SET DEFAULT 1");
        }
    }

    private static boolean isTraceless() {
        TracelessNodes nodes = cluster.tenantry().catalog().traceless();
        return cluster.tenantry().catalog().current().nodes().stream()
                .filter(node -> node.name().equals("worker1"))
                .allMatch(node -> nodes.isKnown(node.nodeId()));
    }

    private static void assertRefused(RawClient client) {
        assertThat(Message.only(client.run(ORDINARY), 'E').sqlState()).isEqualTo("53300");
    }

    private ProxyServer proxy(int size, int waitMillis) throws IOException {
        PoolLimits limits = PoolLimits.keeping(size).sharing(new PoolLimits.Sharing(size, waitMillis, 100));
        ProxyServer another = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(limits), point -> {});
        opened.add(another);
        return another;
    }

    private RawClient login(ProxyServer at) {
        RawClient client =
                SuperuserLogin.at(at.address().getHostString(), at.address().getPort(), Map.of());
        opened.add(client);
        return client;
    }
}
