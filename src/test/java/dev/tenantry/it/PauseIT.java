package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas and nodes that are paused: what waits, what does not, and how the waiting ends. */
class PauseIT extends SeveralNodes {

    private final RawClient waiting = login();

    @AfterEach
    void resumeAll() throws SQLException {
        waiting.close();
        onCoordinator("DELETE FROM tenantry.pause", "SELECT tenantry.catalog_changed()");
        heard();
    }

    private void onCoordinator(String... statements) throws SQLException {
        try (Connection connection = cluster.coordinator().connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (String sql : statements) {
                statement.execute(sql);
            }
            connection.commit();
        }
    }

    /** Says it by the client and waits until the proxy knows. */
    private void say(String sql) {
        assertThat(client.run(sql)).noneMatch(message -> message.type() == 'E');
        heard();
    }

    private void heard() {
        cluster.tenantry().catalog().refresh();
    }

    private String nodeCall(String function, int worker) {
        PostgresNode node = cluster.nodes().get(worker);
        return "SELECT " + function + "('" + node.host() + "', " + node.port() + ")";
    }

    private double waiters() {
        return cluster.meters().get("tenantry.pause.waiters").gauge().value();
    }

    private void awaitWaiters(int count) {
        Eventually.passes(() -> assertThat(waiters()).isEqualTo(count));
    }

    @Test
    void holdsStatementsOfTheSchemaAndNoOthersUntilItGoesOn() {
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.query("INSERT INTO several_1.t VALUES (1)").flushOut();
        awaitWaiters(1);
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("INSERT 0 1 I");
        assertThat(outcome("SET search_path TO several_2")).isEqualTo("SET I");
        assertThat(outcome("INSERT INTO t VALUES (2)")).isEqualTo("INSERT 0 1 I");
        assertThat(outcome("SHOW work_mem")).isEqualTo("SHOW I");
        assertThat(outcome("SELECT count(*) FROM citus_schemas")).isEqualTo("SELECT 1 I");
        assertThat(waiting.hasInput()).isFalse();
        assertThat(client.value("SELECT schema_name || ' ' || (nodeport = "
                        + cluster.worker(1).port() + ") FROM tenantry_pauses"))
                .isEqualTo("several_1 true");
        say("SELECT tenantry_resume_schema('several_1')");
        assertThat(outcome(waiting)).isEqualTo("INSERT 0 1 I");
        assertThat(waiters()).isZero();
        assertThat(client.value("SELECT tenantry_resume_schema('several_1')")).isEqualTo("f");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT FROM several_1.t",
                "SET search_path TO several_1; SELECT FROM t",
                "SHOW work_mem; SELECT FROM several_1.t",
                "BEGIN; SELECT FROM several_1.t; COMMIT",
                "COPY several_1.t TO STDOUT",
                "SELECT relname FROM pg_class WHERE relnamespace = 'several_1'::regnamespace",
                "ALTER SCHEMA several_1 OWNER TO tenantry",
                "COMMENT ON SCHEMA several_1 IS 'held'",
            })
    void holdsEveryKindOfStatement(String sql) {
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.query(sql).flushOut();
        awaitWaiters(1);
        say("SELECT tenantry_resume_schema('several_1')");
        assertThat(waiting.readUntilReady()).noneMatch(message -> message.type() == 'E');
    }

    @Test
    void holdsPreparedStatementsThatWereRoutedBefore() {
        waiting.parse("kept", "INSERT INTO several_1.t VALUES (3)").sync();
        waiting.bind("", "kept").execute("", 0).sync().flushOut();
        waiting.readUntilReady();
        waiting.readUntilReady();
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.bind("", "kept").execute("", 0).sync().flushOut();
        awaitWaiters(1);
        assertThat(rows(2)).isEqualTo("0");
        assertThat(waiting.hasInput()).isFalse();
        say("SELECT tenantry_resume_schema('several_1')");
        assertThat(Message.types(waiting.readUntilReady())).isEqualTo("2CZ");
        assertThat(rows(1)).isEqualTo("2");
    }

    @Test
    void answersWhatComesBeforeInTheBatchThatWaits() {
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.parse("", "SELECT 1").bind("", "").execute("", 0);
        waiting.parse("", "SELECT FROM several_1.t")
                .bind("", "")
                .execute("", 0)
                .sync()
                .flushOut();
        assertThat(Message.types(waiting.readUntil('C'))).isEqualTo("12DC");
        awaitWaiters(1);
        say("SELECT tenantry_resume_schema('several_1')");
        assertThat(waiting.readUntilReady()).noneMatch(message -> message.type() == 'E');
    }

    @Test
    void letsTransactionsGoOnThatHaveUsedTheSchema() {
        waiting.run("BEGIN");
        waiting.run("INSERT INTO several_1.t VALUES (1)");
        say("SELECT tenantry_pause_schema('several_1')");
        say(nodeCall("tenantry_pause_node", 1));
        assertThat(outcome(waiting.query("INSERT INTO several_1.t VALUES (2)"))).isEqualTo("INSERT 0 1 T");
        waiting.parse("", "INSERT INTO several_1.t VALUES (3)")
                .bind("", "")
                .execute("", 0)
                .sync();
        assertThat(outcome(waiting)).isEqualTo("INSERT 0 1 T");
        assertThat(outcome(waiting.query("COMMIT"))).isEqualTo("COMMIT I");
        assertThat(outcome(waiting.query("BEGIN"))).isEqualTo("BEGIN T");
        waiting.query("SELECT count(*) FROM several_1.t").flushOut();
        awaitWaiters(1);
        say(nodeCall("tenantry_resume_node", 1));
        assertThat(waiting.hasInput()).isFalse();
        say("SELECT tenantry_resume_schema('several_1')");
        assertThat(Message.rows(waiting.readUntilReady())).containsExactly(List.of("3"));
    }

    @Test
    void letsNoTransactionInThatCameToTheNodeByAnotherSchema() {
        say("SET tenantry.node = 'worker1'");
        say("CREATE SCHEMA several_3");
        say("CREATE TABLE several_3.t ()");
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.run("BEGIN");
        assertThat(outcome(waiting.query("SELECT FROM several_3.t"))).isEqualTo("SELECT 0 T");
        waiting.query("SELECT FROM several_1.t").flushOut();
        awaitWaiters(1);
        say("SELECT tenantry_resume_schema('several_1')");
        assertThat(outcome(waiting)).isEqualTo("SELECT 0 T");
    }

    @Test
    void goesOnInTheOrderInWhichTheyCame() throws Exception {
        // One connection to the node, which the pool gives in turn, so that the rows are in the order of going on.
        ProxyLimits narrow = ProxyLimits.forCores(1)
                .withPool(new PoolLimits(1, 60_000, 60_000, 5_000, new PoolLimits.Sharing(1, 60_000, 100)));
        List<RawClient> queue = new ArrayList<>();
        client.run("CREATE TABLE several_1.came (at serial, id int)");
        say("SELECT tenantry_pause_schema('several_1')");
        try (ProxyServer proxy = cluster.anotherProxy(narrow, point -> {})) {
            for (int i = 0; i < 11; i++) {
                queue.add(SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), Map.of()));
            }
            for (int i = 9; i >= 0; i--) {
                queue.get(i)
                        .query("INSERT INTO several_1.came (id) VALUES (" + i + ")")
                        .flushOut();
                queue.getLast().value("SELECT 1"); // on the same event loop, so that the one before has been seen
            }
            say("SELECT tenantry_resume_schema('several_1')");
            for (RawClient each : queue.subList(0, 10)) {
                assertThat(outcome(each)).isEqualTo("INSERT 0 1 I");
            }
        } finally {
            queue.forEach(RawClient::close);
        }
        assertThat(client.value("SELECT string_agg(id::text, '' ORDER BY at) FROM several_1.came"))
                .isEqualTo("9876543210");
    }

    @Test
    void refusesWhoHasWaitedTooLong() throws Exception {
        try (ProxyServer proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPauseWait(200), point -> {});
                RawClient impatient =
                        SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), Map.of())) {
            say("SELECT tenantry_pause_schema('several_1')");
            Message refused = Message.only(impatient.run("SELECT FROM several_1.t"), 'E');
            assertThat(refused.sqlState()).isEqualTo("55P03");
            assertThat(refused.errorMessage()).isEqualTo("schema \"several_1\" is paused");
            assertThat(refused.fields()).containsKeys('D', 'H');
            impatient.run("BEGIN");
            impatient.run("INSERT INTO several_2.t VALUES (1)");
            assertThat(outcome(impatient.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
            impatient
                    .parse("", "SELECT FROM several_1.t")
                    .bind("", "")
                    .execute("", 0)
                    .sync();
            assertThat(outcome(impatient)).isEqualTo("55P03 I");
            impatient.run("BEGIN");
            assertThat(outcome(impatient.query("SELECT FROM several_1.t"))).isEqualTo("55P03 E");
            assertThat(outcome(impatient.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
            say("SELECT tenantry_resume_schema('several_1')");
            say(nodeCall("tenantry_pause_node", 1));
            refused = Message.only(impatient.run("SELECT FROM several_1.t"), 'E');
            assertThat(refused.errorMessage()).isEqualTo("node \"worker1\" is paused");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT FROM several_1.t", "SELECT 1; SELECT FROM several_1.t"})
    void cancelsWhoWaits(String sql) {
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.query(sql).flushOut();
        awaitWaiters(1);
        try (RawClient canceller = RawClient.connect(cluster.host(), cluster.port())) {
            canceller.requestCancel(waiting.processId(), waiting.secretKey());
            assertThat(canceller.readToEnd()).isEmpty();
        }
        assertThat(Message.only(waiting.readUntilReady(), 'E').sqlState()).isEqualTo("57014");
        assertThat(waiters()).isZero();
        assertThat(outcome(waiting.query("SELECT FROM several_2.t"))).isEqualTo("SELECT 0 I");
    }

    @Test
    void forgetsWhoLeavesWhileWaiting() {
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.query("SELECT FROM several_1.t").flushOut();
        awaitWaiters(1);
        waiting.reset();
        awaitWaiters(0);
    }

    @Test
    void routesAnewWhatHasMovedMeanwhile() throws SQLException {
        waiting.run("SELECT FROM several_1.t");
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.query("SELECT id FROM several_1.t").flushOut();
        awaitWaiters(1);
        try (Connection connection = cluster.worker(2).connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = 'on'");
            statement.execute("CREATE SCHEMA several_1");
            statement.execute("CREATE TABLE several_1.t AS SELECT 77 AS id");
        }
        onCoordinator(
                "UPDATE tenantry.schema SET nodeid = (SELECT nodeid FROM tenantry.node WHERE name = 'worker2'),"
                        + " changed = pg_current_xact_id() WHERE schemaid = 'several_1'::regnamespace",
                "SELECT tenantry.tenantry_resume_schema('several_1')");
        assertThat(Message.rows(waiting.readUntilReady())).containsExactly(List.of("77"));
        try (Connection connection = cluster.worker(1).connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = 'on'");
            statement.execute("DROP SCHEMA several_1 CASCADE");
        }
    }

    @Test
    void holdsWhatGoesToAPausedNode() {
        waiting.run("SELECT FROM several_1.t");
        say(nodeCall("tenantry_pause_node", 1));
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("INSERT 0 1 I");
        assertThat(outcome("CREATE SCHEMA several_3")).isEqualTo("CREATE SCHEMA I");
        assertThat(client.value("SELECT nodeport FROM citus_schemas WHERE schema_name::text = 'several_3'"))
                .isNotEqualTo(Integer.toString(cluster.worker(1).port()));
        for (String sql : List.of("SHOW work_mem", "SELECT FROM several_1.t", "CREATE ROLE several_role")) {
            waiting.query(sql).flushOut();
            awaitWaiters(1);
            assertThat(waiting.hasInput()).isFalse();
            say(nodeCall("tenantry_resume_node", 1));
            assertThat(waiting.readUntilReady()).noneMatch(message -> message.type() == 'E');
            say(nodeCall("tenantry_pause_node", 1));
        }
    }

    @Test
    void endsThePauseOfTheCoordinatorItself() {
        say(nodeCall("tenantry_pause_node", 0));
        waiting.query("CREATE TABLE several_local ()").flushOut();
        awaitWaiters(1);
        client.run("BEGIN");
        client.run(nodeCall("tenantry_resume_node", 0));
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(outcome(waiting)).isEqualTo("CREATE TABLE I");
        assertThat(outcome("DROP TABLE several_local")).isEqualTo("DROP TABLE I");
    }

    @Test
    void isTheSuperusersAndTransactional() {
        client.run("BEGIN");
        String number = client.value("SELECT tenantry_pause_schema('several_1')");
        assertThat(client.value("SELECT tenantry_pause_schema('several_1')")).isEqualTo(number);
        client.run("ROLLBACK");
        heard();
        assertThat(outcome(waiting.query("SELECT FROM several_1.t"))).isEqualTo("SELECT 0 I");
        assertThat(outcome("SELECT tenantry_pause_schema('pg_catalog')")).isEqualTo("55000 I");
        assertThat(outcome("SELECT tenantry_pause_schema('no_such')")).isEqualTo("3F000 I");
        assertThat(outcome("SELECT tenantry_pause_node('nowhere', 1)")).isEqualTo("42704 I");
        client.run("CREATE ROLE several_role");
        client.run("SET ROLE several_role");
        assertThat(outcome("SELECT tenantry_pause_schema('several_1')")).isEqualTo("42501 I");
        assertThat(outcome(nodeCall("tenantry_resume_node", 1))).isEqualTo("42501 I");
        client.run("RESET ROLE");
    }

    @Test
    void endsWithTheSchema() throws SQLException {
        say("SELECT tenantry_pause_schema('several_1')");
        waiting.query("SELECT FROM several_1.t").flushOut();
        awaitWaiters(1);
        onCoordinator("SET tenantry.schema_ddl = 'on'", "DROP SCHEMA several_1");
        assertThat(outcome(waiting)).isEqualTo("42P01 I");
        try (Connection connection = cluster.worker(1).connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = 'on'");
            statement.execute("DROP SCHEMA several_1 CASCADE");
        }
    }

    private String progress() throws SQLException {
        return direct(
                0,
                "SELECT concat_ws('/', acknowledged = proxies, running) FROM tenantry.tenantry_pauses"
                        + " ORDER BY pauseid DESC");
    }

    private void awaitProgress(String progress) {
        Eventually.passes(() -> assertThat(progress()).isEqualTo(progress));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void saysWhenTransactionsThatWereThereBeforeHaveEnded(boolean ofNode) throws SQLException {
        waiting.run("BEGIN");
        waiting.run("INSERT INTO several_1.t VALUES (1)");
        try (RawClient batch = login();
                RawClient statement = login();
                RawClient elsewhere = login()) {
            batch.parse("", "INSERT INTO several_1.t VALUES (2)")
                    .bind("", "")
                    .execute("", 0)
                    .flush()
                    .flushOut();
            batch.readUntil('C');
            elsewhere.run("BEGIN");
            elsewhere.run("SELECT FROM several_2.t");
            client.run("SELECT pg_advisory_lock(77) FROM several_1.t RIGHT JOIN (SELECT 1) one ON true");
            statement
                    .query("SELECT pg_advisory_xact_lock(77) FROM several_1.t RIGHT JOIN (SELECT 1) one ON true")
                    .flushOut();
            Eventually.passes(() -> assertThat(
                            direct(1, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
                    .isEqualTo("1"));
            onCoordinator(ofNode ? pauseOfNode() : "SELECT tenantry.tenantry_pause_schema('several_1')");
            awaitProgress("t/3");
            batch.sync();
            assertThat(outcome(batch)).isEqualTo(" I");
            awaitProgress("t/2");
            batch.query("SELECT FROM several_1.t").flushOut();
            awaitWaiters(1);
            assertThat(outcome(waiting.query("COMMIT"))).isEqualTo("COMMIT I");
            awaitProgress("t/1");
            assertThat(client.run("SELECT FROM several_2.t")).noneMatch(message -> message.type() == 'E');
            client.close(); // which unlocks
            assertThat(outcome(statement)).isEqualTo("SELECT 1 I");
            awaitProgress("t/0");
            onCoordinator("DELETE FROM tenantry.pause", "SELECT tenantry.catalog_changed()");
            assertThat(outcome(batch)).isEqualTo("SELECT 2 I");
            elsewhere.run("ROLLBACK");
        }
    }

    private String pauseOfNode() {
        return nodeCall("tenantry.tenantry_pause_node", 1);
    }

    @Test
    void doesNotCountTransactionsThatUseOtherSchemasOfTheNode() throws SQLException {
        say("SET tenantry.node = 'worker1'");
        say("CREATE SCHEMA several_3");
        say("CREATE TABLE several_3.t ()");
        waiting.run("BEGIN");
        waiting.run("SELECT FROM several_3.t");
        onCoordinator("SELECT tenantry.tenantry_pause_schema('several_1')");
        awaitProgress("t/0");
        assertThat(outcome(waiting.query("SELECT FROM several_3.t"))).isEqualTo("SELECT 0 T");
        waiting.query("INSERT INTO several_1.t VALUES (1)").flushOut();
        awaitWaiters(1);
        assertThat(progress()).isEqualTo("t/0");
        onCoordinator("DELETE FROM tenantry.pause", "SELECT tenantry.catalog_changed()");
        assertThat(outcome(waiting)).isEqualTo("INSERT 0 1 T");
        assertThat(outcome(waiting.query("COMMIT"))).isEqualTo("COMMIT I");
    }

    @Test
    void remembersWhatALongTransactionHasUsed() throws SQLException {
        waiting.run("BEGIN");
        waiting.run("SELECT FROM several_1.t");
        for (int i = 0; i < 100; i++) {
            waiting.query("SELECT " + i);
        }
        waiting.flushOut();
        for (int i = 0; i < 100; i++) {
            assertThat(outcome(waiting)).isEqualTo("SELECT 1 T");
        }
        onCoordinator("SELECT tenantry.tenantry_pause_schema('several_1')");
        awaitProgress("t/1");
        assertThat(outcome(waiting.query("INSERT INTO several_1.t VALUES (1)"))).isEqualTo("INSERT 0 1 T");
        assertThat(outcome(waiting.query("COMMIT"))).isEqualTo("COMMIT I");
        awaitProgress("t/0");
    }

    @Test
    void expectsNothingOfABlockThatHasFailed() throws SQLException {
        waiting.run("BEGIN");
        waiting.run("SAVEPOINT s");
        waiting.run("SELECT 1/0 FROM several_1.t RIGHT JOIN (SELECT 1) one ON true");
        onCoordinator("SELECT tenantry.tenantry_pause_schema('several_1')");
        awaitProgress("t/0");
        assertThat(outcome(waiting.query("ROLLBACK TO s"))).isEqualTo("ROLLBACK T");
        waiting.query("SELECT FROM several_1.t").flushOut();
        awaitWaiters(1);
        onCoordinator("DELETE FROM tenantry.pause", "SELECT tenantry.catalog_changed()");
        assertThat(outcome(waiting)).isEqualTo("SELECT 0 T");
    }

    @Test
    void takesAChainedTransactionForAnotherOne() throws SQLException {
        waiting.run("BEGIN");
        waiting.run("SELECT FROM several_1.t");
        onCoordinator("SELECT tenantry.tenantry_pause_schema('several_1')");
        awaitProgress("t/1");
        assertThat(outcome(waiting.query("COMMIT AND CHAIN"))).isEqualTo("COMMIT T");
        awaitProgress("t/0");
        waiting.query("SELECT FROM several_1.t").flushOut();
        awaitWaiters(1);
    }

    @Test
    void waitsForProxiesThatHaveNotHeardAndNotForThoseThatAreGone() throws SQLException {
        String alive = "INSERT INTO tenantry.proxy VALUES ('deaf', clock_timestamp() - interval '%s s', %s)"
                + " ON CONFLICT (proxyid) DO UPDATE SET (alive_at, session_pid) ="
                + " (excluded.alive_at, excluded.session_pid)";
        String lasting = "(SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer')";
        onCoordinator("SELECT tenantry.tenantry_pause_schema('several_1')");
        for (String here : List.of(
                alive.formatted("0", "NULL"),
                alive.formatted("2", "1"),
                alive.formatted("25", lasting),
                alive.formatted("25", "NULL"))) {
            onCoordinator(here);
            awaitProgress("f/0");
        }
        for (String gone : List.of(
                "SELECT tenantry.proxy_gone('deaf')",
                alive.formatted("5.1", "1"),
                alive.formatted("31", lasting),
                alive.formatted("31", "NULL"))) {
            onCoordinator(gone);
            awaitProgress("t/0");
        }
        // Over a session that has just begun: a restart of the coordinator may have ended all that were before.
        onCoordinator(alive.formatted("25", "1"));
        assertThat(direct(0, "SELECT tenantry.is_proxy_missed()")).isEqualTo("t");
        for (String known : List.of(alive.formatted("25", lasting), alive.formatted("31", "1"))) {
            onCoordinator(known);
            assertThat(direct(0, "SELECT tenantry.is_proxy_missed()")).isEqualTo("f");
        }
        onCoordinator("SELECT tenantry.proxy_gone('deaf')");
    }
}
