package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Prepared statements whose result changes while another session has the connection that they were prepared on:
 * PostgreSQL's answers on one connection, which {@link ChangedResultFactsIT} has from it, also where a statement has to
 * be prepared again.
 */
class ChangedResultIT {

    private static final int LONG_MILLIS = 60_000;
    private static final Map<String, String> STARTUP = Map.of("options", "-c search_path=changed");
    private static final String ALL_COLUMNS = "SELECT * FROM t";
    private static final String MORE = "ALTER TABLE t ADD COLUMN more int";

    private static Cluster cluster;
    private static ProxyServer proxy;
    private RawClient client;
    private RawClient thief;

    @BeforeAll
    static void start() throws IOException {
        cluster = Cluster.start(2);
        try (RawClient admin = cluster.login()) {
            admin.succeed("SET tenantry.node = 'worker2'");
            admin.succeed("CREATE SCHEMA elsewhere");
        }
        PoolLimits shared = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, LONG_MILLIS, 10));
        proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(shared), point -> {});
    }

    @AfterAll
    static void stop() {
        proxy.close();
        cluster.close();
    }

    @BeforeEach
    void open() {
        try (RawClient admin = cluster.login()) {
            admin.succeed("DROP SCHEMA IF EXISTS changed CASCADE");
            admin.succeed("SET tenantry.node = 'worker1'");
            admin.succeed("CREATE SCHEMA changed");
            admin.succeed("SET search_path TO changed");
            ChangedResult.made().forEach(sql -> admin.succeed(sql));
        }
        client = login();
        thief = login();
    }

    @AfterEach
    void close() {
        client.close();
        thief.close();
    }

    static Stream<Arguments> changes() {
        return Stream.of(PreparedHow.values())
                .flatMap(how -> ChangedResult.ALL.stream().filter(how::can).map(change -> Arguments.of(how, change)));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void saysWhatOneServerSays(PreparedHow how, ChangedResult change) throws SQLException {
        how.prepare(client, change.statement());
        how.take(thief);
        change(change.change());
        assertThat(how.run(client)).isEqualTo(change.sqlState());
        how.take(thief);
        assertThat(how.run(client)).as("again").isEqualTo(change.sqlState());
    }

    @Test
    void saysItInPostgresWordsAsLongAsItIsTrue() throws SQLException {
        PreparedHow.NAMED.prepare(client, ALL_COLUMNS);
        PreparedHow.NAMED.take(thief);
        change(List.of(MORE));
        Message error = Message.only(client.describe('S', "prepared").sync().readUntilReady(), 'E');
        assertThat(error.fields())
                .containsEntry('C', "0A000")
                .containsEntry('M', "cached plan must not change result type")
                .containsEntry('R', "RevalidateCachedQuery");
        change(List.of("ALTER TABLE t DROP COLUMN more"));
        assertThat(PreparedHow.NAMED.run(client)).isEmpty();
    }

    /** Another session has prepared the very same since, so that the server sees nothing wrong with it. */
    @Test
    void neverTakesWhatAnotherHasPreparedAfterTheChange() throws SQLException {
        PreparedHow.DESCRIBED.prepare(client, ALL_COLUMNS);
        change(List.of(MORE));
        PreparedHow.DESCRIBED.prepare(thief, ALL_COLUMNS);
        assertThat(PreparedHow.DESCRIBED.run(client)).isEqualTo("0A000");
        assertThat(PreparedHow.DESCRIBED.run(thief)).isEmpty();
        assertThat(PreparedHow.DESCRIBED.run(client)).isEqualTo("0A000");
    }

    @Test
    void neverRefusesWhatWasPreparedAfterTheChange() throws SQLException {
        PreparedHow.DESCRIBED.prepare(thief, ALL_COLUMNS);
        change(List.of(MORE));
        PreparedHow.DESCRIBED.prepare(client, ALL_COLUMNS);
        assertThat(PreparedHow.DESCRIBED.run(thief)).isEqualTo("0A000");
        assertThat(PreparedHow.DESCRIBED.run(client)).isEmpty();
        assertThat(PreparedHow.DESCRIBED.run(thief)).isEqualTo("0A000");
    }

    @ParameterizedTest
    @EnumSource(names = "UNNAMED", mode = EnumSource.Mode.EXCLUDE) // BEGIN ends it
    void failsTheBlock(PreparedHow how) throws SQLException {
        how.prepare(client, ALL_COLUMNS);
        how.take(thief);
        change(List.of(MORE));
        client.succeed("BEGIN");
        client.succeed("UPDATE t SET id = 5");
        client.succeed("SAVEPOINT a");
        assertThat(how.run(client)).isEqualTo("0A000");
        assertThat(Message.only(client.run("SELECT id FROM t"), 'E').sqlState()).isEqualTo("25P02");
        client.succeed("ROLLBACK TO a");
        assertThat(client.value("SELECT id FROM t")).isEqualTo("5");
        client.succeed("COMMIT");
        assertThat(client.value("SELECT id FROM t")).isEqualTo("5");
    }

    @Test
    void undoesTheBatch() throws SQLException {
        PreparedHow.NAMED.prepare(client, "UPDATE t SET name = 'changed' RETURNING *");
        PreparedHow.NAMED.take(thief);
        change(List.of(MORE));
        List<Message> answer = client.parse("", "UPDATE t SET id = 7")
                .bind("", "")
                .execute("", 0)
                .bind("", "prepared")
                .execute("", 0)
                .parse("", "SELECT id FROM t")
                .bind("", "")
                .execute("", 0)
                .sync()
                .readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12CEZ");
        assertThat(answer.getLast().text()).isEqualTo("I");
        assertThat(client.value("SELECT concat(id, name) FROM t")).isEqualTo("1one");
    }

    /** What runs is not undone, nor seen by the client, when statements are prepared in one batch with their use. */
    @Test
    void tellsNothingOfItsOwnQuestions() {
        List<Message> answer = client.parse("a", ALL_COLUMNS)
                .parse("b", "SELECT id FROM t")
                .bind("", "a")
                .execute("", 0)
                .flush()
                .parse("c", "ALTER TABLE t ADD COLUMN more int")
                .bind("", "c")
                .execute("", 0)
                .bind("", "b")
                .execute("", 0)
                .sync()
                .readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("112D" + "C12C2DCZ");
        assertThat(PreparedHow.state(client.bind("", "a").execute("", 0).sync().readUntilReady()))
                .isEqualTo("0A000");
    }

    /** PREPARE is described behind its Execute; what then waits for that must not wait for ever. */
    @Test
    void goesOnBehindItsOwnQuestions() {
        List<Message> answer = client.parse("", "PREPARE p AS SELECT * FROM t")
                .bind("", "")
                .execute("", 0)
                .parse("", "BEGIN")
                .bind("", "")
                .execute("", 0)
                .parse("", "EXECUTE p")
                .bind("", "")
                .execute("", 0)
                .sync()
                .readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12C12C12DCZ");
        client.succeed("ROLLBACK");
    }

    @Test
    void comparesOverNodes() throws SQLException {
        try (RawClient admin = cluster.login()) {
            admin.succeed("DROP TABLE IF EXISTS elsewhere.t");
            admin.succeed("CREATE TABLE elsewhere.t (id int, name varchar(10), more int)");
        }
        client.parse("some", "SELECT id, name FROM t").sync().readUntilReady();
        client.parse("all", ALL_COLUMNS).sync().readUntilReady();
        client.succeed("SET search_path TO elsewhere");
        assertThat(PreparedHow.state(
                        client.bind("", "some").execute("", 0).sync().readUntilReady()))
                .isEmpty();
        assertThat(PreparedHow.state(
                        client.bind("", "all").execute("", 0).sync().readUntilReady()))
                .isEqualTo("0A000");
        client.succeed("SET search_path TO changed");
        assertThat(PreparedHow.state(
                        client.bind("", "all").execute("", 0).sync().readUntilReady()))
                .isEmpty();
    }

    /** Types that are not PostgreSQL's own have other numbers there. */
    @ParameterizedTest
    @EnumSource
    void comparesOverMoves(PreparedHow how) throws SQLException {
        how.prepare(client, ALL_COLUMNS);
        move(cluster.worker(2));
        assertThat(how.run(client)).isEmpty();
        change(List.of(MORE));
        move(cluster.worker(1));
        assertThat(how.run(client)).isEqualTo("0A000");
    }

    @Test
    void fetchesWhatTheCursorHas() throws SQLException {
        client.succeed("BEGIN");
        client.succeed("DECLARE c CURSOR FOR SELECT * FROM t");
        client.parse("f", "FETCH c").sync().readUntilReady();
        client.succeed("COMMIT");
        thief.parse("f", "SELECT 1 FROM t").sync().readUntilReady();
        change(List.of(MORE));
        client.succeed("BEGIN");
        client.succeed("DECLARE c CURSOR FOR SELECT * FROM t");
        assertThat(Message.types(client.bind("", "f")
                        .describe('P', "")
                        .execute("", 0)
                        .sync()
                        .readUntilReady()))
                .isEqualTo("2TDCZ");
        client.succeed("COMMIT");
    }

    @Test
    void letsPgjdbcRecoverByItself() throws SQLException {
        try (Connection driver = DriverManager.getConnection(jdbcUrl() + "&prepareThreshold=1&autosave=conservative")) {
            driver.setAutoCommit(false);
            try (PreparedStatement all = driver.prepareStatement(ALL_COLUMNS)) {
                assertThat(columns(all)).isEqualTo(3);
                driver.commit();
                takeAllOf(driver);
                change(List.of(MORE));
                assertThat(columns(all)).isEqualTo(4);
                driver.commit();
            }
        }
    }

    /** As on a server: it prepares anew, but the transaction is lost. */
    @Test
    void letsPgjdbcPrepareAnewAfterTheError() throws SQLException {
        try (Connection driver = DriverManager.getConnection(jdbcUrl() + "&prepareThreshold=1&autosave=never")) {
            driver.setAutoCommit(false);
            try (PreparedStatement all = driver.prepareStatement(ALL_COLUMNS)) {
                assertThat(columns(all)).isEqualTo(3);
                driver.commit();
                takeAllOf(driver);
                change(List.of(MORE));
                assertThatThrownBy(() -> columns(all))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                refused -> assertThat(refused.getSQLState()).isEqualTo("0A000"));
                driver.rollback();
                assertThat(columns(all)).isEqualTo(4);
            }
        }
    }

    /** What the driver has prepared is not there any more. */
    private void takeAllOf(Connection driver) throws SQLException {
        try (Statement sql = driver.createStatement();
                ResultSet names = sql.executeQuery("SELECT name FROM pg_prepared_statements, (SELECT FROM t) t")) {
            while (names.next()) {
                thief.parse(names.getString(1), "SELECT 'taken' FROM t");
            }
        }
        driver.commit();
        assertThat(Message.types(thief.sync().readUntilReady())).matches("1+Z");
    }

    private static int columns(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            assertThat(rows.next()).isTrue();
            int columns = rows.getMetaData().getColumnCount();
            assertThat(rows.getString(columns)).isEqualTo(columns == 3 ? "a" : null);
            return columns;
        }
    }

    private static void move(PostgresNode to) throws SQLException {
        try (Connection admin = cluster.connect();
                Statement sql = admin.createStatement()) {
            sql.execute("SELECT citus_schema_move('changed', '" + to.host() + "', " + to.port() + ")");
        }
    }

    private static void change(List<String> statements) throws SQLException {
        try (Connection direct = cluster.connectToNodeOf("changed");
                Statement sql = direct.createStatement()) {
            sql.execute("SET search_path TO changed");
            for (String statement : statements) {
                sql.execute(statement);
            }
        }
    }

    private static RawClient login() {
        return SuperuserLogin.at(
                proxy.address().getHostString(), proxy.address().getPort(), STARTUP);
    }

    private static String jdbcUrl() {
        Superuser superuser = Superuser.DEFAULT;
        return "jdbc:postgresql://" + proxy.address().getHostString() + ":"
                + proxy.address().getPort() + "/" + superuser.database() + "?user=" + superuser.name() + "&password="
                + superuser.password() + "&currentSchema=changed";
    }
}
