package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Eventually;
import dev.tenantry.support.HttpService;
import io.vertx.core.json.JsonObject;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A target that does not catch up with the writers: the move says so, and is given up in the end. */
class MoveCatchUpIT {

    @Test
    void givesUpWhenTheTargetDoesNotComeNearer() throws Exception {
        try (HttpService service = HttpService.start(2, Map.of("TENANTRY_MOVE_CATCH_UP_MAX", "PT3S"));
                Connection reader = service.connect();
                Connection writer = service.connect();
                Connection onTarget = service.nodes().get(2).connect()) {
            run(
                    writer,
                    "SET tenantry.node = 'worker1'",
                    "CREATE SCHEMA slow",
                    "CREATE TABLE slow.t (a int PRIMARY KEY)");
            run(writer, "INSERT INTO slow.t VALUES (1)");
            // Who reads keeps the schema from being switched, and its replication from nothing.
            reader.setAutoCommit(false);
            run(reader, "SELECT FROM slow.t");
            String path = "/api/moves/"
                    + new JsonObject(service.post(
                                            "/api/moves",
                                            HttpService.ADMIN,
                                            "{\"schema\": \"slow\", \"node\": \"worker2\"}")
                                    .body())
                            .getLong("moveid");
            Eventually.passes(
                    () -> assertThat(service.json(path).getInteger("cutovers")).isPositive());
            onTarget.setAutoCommit(false);
            run(onTarget, "SELECT FROM slow.t FOR UPDATE");
            run(writer, "UPDATE slow.t SET a = 2");
            Eventually.passes(
                    () -> assertThat(service.json(path).getLong("lag_bytes")).isPositive());
            Eventually.passes(
                    () -> assertThat(service.json(path).getString("phase")).isIn("undoing", "failed"));
            onTarget.rollback();
            reader.rollback();
            Eventually.passes(
                    () -> assertThat(service.json(path).getString("phase")).isEqualTo("failed"));
            JsonObject failed = service.json(path);
            assertThat(failed.getString("error")).contains("node \"worker2\" does not catch up with the writers");
            assertThat(failed.getString("sqlstate")).isEqualTo("53000");
            assertThat(failed.getString("error_hint")).contains("tenantry.move.catch-up-max");
            run(writer, "UPDATE slow.t SET a = 3");
        }
    }

    private static void run(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
