package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.support.Cluster;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** vertx-pg-client, pipelining as deep as it is told to. */
class VertxPgClientIT {

    private static final String ONE = "vertx_one";
    private static final String TWO = "vertx_two";

    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void closeVertx() {
        await(vertx.close());
    }

    /** Where on the loopback interface the client is to go. */
    int port() {
        return Cluster.shared().port();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 256})
    void servesTwoTenants(int pipeliningLimit) {
        Pool pool = pool(1, pipeliningLimit);
        SqlConnection connection = await(pool.getConnection());
        for (String schema : List.of(ONE, TWO)) {
            run(connection, "CREATE SCHEMA " + schema);
            run(connection, "SET search_path TO " + schema);
            run(connection, "CREATE TABLE notes (id bigserial PRIMARY KEY, message text NOT NULL)");
        }
        for (int round = 0; round < 3; round++) {
            for (String schema : List.of(ONE, TWO)) {
                run(connection, "SET search_path TO " + schema);
                insertPipelined(connection, schema, 50);
            }
        }
        assertThat(names(connection, "SELECT DISTINCT message FROM " + ONE + ".notes"))
                .containsExactly(ONE);
        assertThat(names(connection, "SELECT DISTINCT message FROM " + TWO + ".notes"))
                .containsExactly(TWO);
        batchesAndFails(connection);
        run(connection, "DROP SCHEMA " + ONE + ", " + TWO + " CASCADE");
        await(connection.close());
        await(pool.close());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16})
    void servesManyConnectionsWithStatementsInTheirCaches(int pipeliningLimit) {
        Pool pool = pool(8, pipeliningLimit);
        SqlConnection maker = await(pool.getConnection());
        for (String schema : List.of(ONE, TWO)) {
            run(maker, "CREATE SCHEMA " + schema);
            run(maker, "CREATE TABLE " + schema + ".notes (id bigserial PRIMARY KEY, message text NOT NULL)");
        }
        await(maker.close());
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            String schema = i % 2 == 0 ? ONE : TWO;
            all.add(pool.withTransaction(connection -> connection
                    .query("SET LOCAL search_path TO " + schema)
                    .execute()
                    .compose(set -> connection
                            .preparedQuery("INSERT INTO notes (message) VALUES ($1)")
                            .execute(Tuple.of(schema)))
                    .compose(inserted -> connection
                            .preparedQuery("SELECT count(DISTINCT message), min(message) FROM notes")
                            .execute())
                    .map(rows -> rows.iterator().next())
                    .map(row -> row.getLong(0) + " " + row.getString(1))
                    .map(found -> assertThat(found).isEqualTo("1 " + schema))));
        }
        await(Future.all(all));
        SqlConnection last = await(pool.getConnection());
        assertThat(names(last, "SELECT count(*)::text FROM " + ONE + ".notes")).containsExactly("50");
        run(last, "DROP SCHEMA " + ONE + ", " + TWO + " CASCADE");
        await(last.close());
        await(pool.close());
    }

    private Pool pool(int connectionsMax, int pipeliningLimit) {
        Superuser superuser = Superuser.DEFAULT;
        return PgBuilder.pool()
                .using(vertx)
                .with(new PoolOptions().setMaxSize(connectionsMax))
                .connectingTo(new PgConnectOptions()
                        .setHost("127.0.0.1")
                        .setPort(port())
                        .setDatabase(superuser.database())
                        .setUser(superuser.name())
                        .setPassword(superuser.password())
                        .setPipeliningLimit(pipeliningLimit)
                        .setCachePreparedStatements(true))
                .build();
    }

    private static void insertPipelined(SqlConnection connection, String message, int times) {
        List<Future<RowSet<Row>>> sent = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            sent.add(connection
                    .preparedQuery("INSERT INTO notes (message) VALUES ($1) RETURNING message")
                    .execute(Tuple.of(message)));
        }
        assertThat(await(Future.all(sent)).size()).isEqualTo(times);
    }

    private static void batchesAndFails(SqlConnection connection) {
        run(connection, "SET search_path TO " + ONE);
        List<Tuple> batch = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            batch.add(Tuple.of("batch " + i));
        }
        await(connection
                .preparedQuery("INSERT INTO notes (message) VALUES ($1)")
                .executeBatch(batch));
        assertThat(names(connection, "SELECT count(*)::text FROM notes WHERE message LIKE 'batch%'"))
                .containsExactly("200");
        Future<RowSet<Row>> before = connection.query("SELECT 'before'").execute();
        Future<RowSet<Row>> failing = connection
                .preparedQuery("INSERT INTO notes (message) VALUES ($1)")
                .execute(Tuple.of((String) null));
        Future<RowSet<Row>> after = connection.query("SELECT 'after'").execute();
        assertThat(await(before).size()).isOne();
        assertThatThrownBy(() -> await(failing))
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(PgException.class)
                .hasMessageContaining("23502");
        assertThat(await(after).size()).isOne();
        var transaction = await(connection.begin());
        run(connection, "INSERT INTO notes (message) VALUES ('gone')");
        await(transaction.rollback());
        assertThat(names(connection, "SELECT message FROM notes WHERE message = 'gone'"))
                .isEmpty();
    }

    private static void run(SqlConnection connection, String sql) {
        await(connection.query(sql).execute());
    }

    private static List<String> names(SqlConnection connection, String sql) {
        List<String> names = new ArrayList<>();
        await(connection.query(sql).execute()).forEach(row -> names.add(row.getString(0)));
        return names;
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }
}
