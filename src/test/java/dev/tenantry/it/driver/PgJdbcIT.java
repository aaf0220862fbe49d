package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.util.PSQLException;

/** pgjdbc, in all of its ways to ask. */
class PgJdbcIT {

    private static final String ONE = "jdbc_one";
    private static final String TWO = "jdbc_two";
    private static Cluster cluster;

    @BeforeAll
    static void makeTenants() throws SQLException {
        cluster = Cluster.shared();
        try (Connection connection = cluster.connect();
                Statement statement = connection.createStatement()) {
            for (String schema : List.of(ONE, TWO)) {
                statement.execute("CREATE SCHEMA " + schema);
                statement.execute("SET search_path TO " + schema);
                statement.execute("CREATE TABLE categories (id bigserial PRIMARY KEY, name text NOT NULL)");
                statement.execute("CREATE TABLE notes (id bigserial PRIMARY KEY,"
                        + " category bigint NOT NULL CONSTRAINT of_category REFERENCES categories (id), message text)");
                statement.execute("INSERT INTO categories (name) VALUES ('" + schema + "')");
            }
        }
    }

    @AfterAll
    static void dropTenants() throws SQLException {
        try (Connection connection = cluster.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP SCHEMA " + ONE + ", " + TWO + " CASCADE");
        }
    }

    /** What the driver is to talk to. */
    String jdbcUrl() {
        return cluster.jdbcUrl();
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(jdbcUrl());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prepareThreshold=1",
                "prepareThreshold=-1&binaryTransfer=true",
                "prepareThreshold=3",
                "preferQueryMode=simple",
                "preferQueryMode=extended",
                "preferQueryMode=extendedForPrepared",
                "preferQueryMode=extendedCacheEverything&prepareThreshold=1",
                "autosave=always&prepareThreshold=1",
                "autosave=conservative",
                "reWriteBatchedInserts=true"
            })
    void onePreparedStatementServesTheTenantOfTheSearchPath(String options) throws SQLException {
        try (Connection connection = DriverManager.getConnection(jdbcUrl() + "&" + options);
                Statement statement = connection.createStatement();
                PreparedStatement find = connection.prepareStatement("SELECT name FROM categories WHERE id = ?")) {
            for (int round = 0; round < 8; round++) {
                String schema = round % 2 == 0 ? ONE : TWO;
                connection.setSchema(schema);
                find.setLong(1, 1);
                assertThat(strings(find.executeQuery())).containsExactly(schema);
            }
            connection.setAutoCommit(false);
            for (String schema : List.of(ONE, TWO)) {
                statement.execute("SET LOCAL search_path TO " + schema);
                assertThat(strings(find.executeQuery())).containsExactly(schema);
                assertThatThrownBy(() -> statement.execute("INSERT INTO notes (category) VALUES (99)"))
                        .isInstanceOf(PSQLException.class)
                        .hasMessageContaining("of_category");
                if (options.contains("autosave=always")) {
                    assertThat(strings(find.executeQuery())).containsExactly(schema);
                }
                connection.rollback();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "&reWriteBatchedInserts=true", "&preferQueryMode=simple", "&prepareThreshold=1"})
    void batchesReportEachOfTheirParts(String options) throws SQLException {
        try (Connection connection = DriverManager.getConnection(jdbcUrl() + options)) {
            connection.setSchema(TWO);
            connection.setAutoCommit(false);
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO notes (category, message) VALUES (?, ?)")) {
                for (int i = 0; i < 500; i++) {
                    insert.setLong(1, 1);
                    insert.setString(2, "message " + i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).hasSize(500);
                insert.setLong(1, 1);
                insert.setString(2, "fine");
                insert.addBatch();
                insert.setLong(1, 99);
                insert.setString(2, "not");
                insert.addBatch();
                assertThatThrownBy(insert::executeBatch).isInstanceOf(BatchUpdateException.class);
            }
            connection.rollback();
            assertThat(strings(connection.createStatement().executeQuery("SELECT count(*) FROM notes")))
                    .containsExactly("0");
        }
    }

    @Test
    void readsSomeRowsAtATime() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            connection.setSchema(ONE);
            connection.setAutoCommit(false);
            statement.setFetchSize(10);
            try (ResultSet rows = statement.executeQuery("SELECT g FROM generate_series(1, 1005) g")) {
                assertThat(strings(rows)).hasSize(1005);
            }
            connection.commit();
        }
    }

    @Test
    void copiesInAndOut() throws Exception {
        try (Connection connection = connect()) {
            connection.setSchema(ONE);
            connection.setAutoCommit(false);
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            long rows = copy.copyIn(
                    "COPY notes (category, message) FROM STDIN (FORMAT csv)",
                    new StringReader("1,\"a, b\"\n".repeat(10_000)));
            assertThat(rows).isEqualTo(10_000);
            StringWriter out = new StringWriter();
            copy.copyOut("COPY (SELECT message FROM notes) TO STDOUT", out);
            assertThat(out.toString()).isEqualTo("a, b\n".repeat(10_000));
            assertThatThrownBy(() -> copy.copyIn("COPY notes (category) FROM STDIN", new StringReader("1\nx\n1\n")))
                    .isInstanceOf(PSQLException.class)
                    .hasMessageContaining("invalid input syntax for type bigint");
            connection.rollback();
            assertThat(connection.isValid(5)).isTrue();
        }
    }

    @Test
    void storesLargeObjectsByFunctionCalls() throws Exception {
        try (Connection connection = connect()) {
            connection.setSchema(TWO);
            connection.setAutoCommit(false);
            LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
            long oid = objects.createLO();
            byte[] written = new byte[300_000];
            written[299_999] = 7;
            try (LargeObject object = objects.open(oid, LargeObjectManager.WRITE)) {
                object.write(written);
            }
            connection.commit();
            try (LargeObject object = objects.open(oid, LargeObjectManager.READ)) {
                assertThat(object.size()).isEqualTo(written.length);
                assertThat(object.read(written.length)).isEqualTo(written);
            }
            objects.delete(oid);
            connection.commit();
        }
    }

    @Test
    void cancelsWhatRuns() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            connection.setSchema(ONE);
            statement.setQueryTimeout(1);
            assertThatThrownBy(() -> statement.execute("SELECT pg_sleep(30)"))
                    .isInstanceOfAny(SQLTimeoutException.class, PSQLException.class)
                    .hasMessageContaining("canceling statement");
            statement.setQueryTimeout(0);
            CompletableFuture.delayedExecutor(500, TimeUnit.MILLISECONDS).execute(() -> cancel(statement));
            assertThatThrownBy(() -> statement.execute("SELECT pg_sleep(30)"))
                    .hasMessageContaining("canceling statement due to user request");
            assertThat(strings(statement.executeQuery("SELECT 'alive'"))).containsExactly("alive");
        }
    }

    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @Test
    void describesTenant() throws SQLException {
        try (Connection connection = connect()) {
            var about = connection.getMetaData();
            assertThat(strings(about.getSchemas())).contains(ONE, TWO);
            assertThat(column(about.getTables(null, TWO, "%", new String[] {"TABLE"}), "TABLE_NAME"))
                    .containsExactly("categories", "notes");
            assertThat(column(about.getColumns(null, ONE, "notes", "%"), "COLUMN_NAME"))
                    .containsExactly("id", "category", "message");
            assertThat(column(about.getPrimaryKeys(null, TWO, "notes"), "COLUMN_NAME"))
                    .containsExactly("id");
            assertThat(column(about.getImportedKeys(null, ONE, "notes"), "FK_NAME"))
                    .containsExactly("of_category");
            assertThat(column(about.getIndexInfo(null, TWO, "notes", true, false), "INDEX_NAME"))
                    .containsExactly("notes_pkey");
        }
    }

    /** Each with statements of the same names. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "prepareThreshold=1&autosave=always",
                "prepareThreshold=1&autosave=conservative",
                "prepareThreshold=1&autosave=never"
            })
    void manyConnectionsKeepTheirTenants(String options) throws Exception {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 6; i++) {
                String schema = i % 2 == 0 ? ONE : TWO;
                all.add(CompletableFuture.runAsync(() -> keepsTenant(options, schema), threads));
            }
            for (CompletableFuture<Void> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        }
    }

    private void keepsTenant(String options, String schema) {
        try (Connection connection = DriverManager.getConnection(jdbcUrl() + "&" + options);
                PreparedStatement find = connection.prepareStatement("SELECT name FROM categories WHERE id = ?");
                PreparedStatement insert =
                        connection.prepareStatement("INSERT INTO notes (category, message) VALUES (?, ?)")) {
            connection.setSchema(schema);
            connection.setAutoCommit(false);
            for (int round = 0; round < 10; round++) {
                find.setLong(1, 1);
                assertThat(strings(find.executeQuery())).containsExactly(schema);
                insert.setLong(1, 99);
                insert.setString(2, schema);
                assertThatThrownBy(insert::executeUpdate).hasMessageContaining("of_category");
                if (options.endsWith("always")) {
                    assertThat(strings(find.executeQuery())).containsExactly(schema);
                    connection.commit();
                }
                connection.rollback();
            }
        } catch (SQLException failed) {
            throw new IllegalStateException(options + ": " + failed.getMessage(), failed);
        }
    }

    private static List<String> strings(ResultSet rows) throws SQLException {
        List<String> strings = new ArrayList<>();
        try (rows) {
            while (rows.next()) {
                strings.add(rows.getString(1));
            }
        }
        return strings;
    }

    private static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> strings = new ArrayList<>();
        try (rows) {
            while (rows.next()) {
                strings.add(rows.getString(name));
            }
        }
        return strings;
    }
}
