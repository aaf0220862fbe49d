package dev.tenantry.it;

import static dev.tenantry.support.HttpService.ADMIN;
import static dev.tenantry.support.HttpService.basic;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Eventually;
import dev.tenantry.support.HttpService;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Moves over HTTP: asked for, undone, looked at once and as they go on, and refused. */
class MoveApiIT {

    private static HttpService service;

    @BeforeAll
    static void start() throws Exception {
        service = HttpService.start(2);
        run("CREATE ROLE owner LOGIN PASSWORD 'own'", "GRANT CREATE ON DATABASE tenantry TO owner");
        run("CREATE ROLE other LOGIN PASSWORD 'other'");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static void run(String... statements) throws SQLException {
        try (Connection connection = service.connect()) {
            run(connection, statements);
        }
    }

    private static void run(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static HttpResponse<String> move(String authorization, String schema, String node) {
        return service.post(
                "/api/moves",
                authorization,
                new JsonObject().put("schema", schema).put("node", node).encode());
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String code, String words) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("application/problem+json");
        JsonObject problem = new JsonObject(answer.body());
        assertThat(problem.fieldNames()).containsExactlyInAnyOrder("title", "status", "code", "detail");
        assertThat(problem.getString("code")).isEqualTo(code);
        assertThat(problem.getString("detail")).contains(words);
    }

    /** The move when it has ended. */
    private static JsonObject ended(String path) {
        Eventually.passes(
                () -> assertThat(service.json(path).getString("finished_at")).isNotNull());
        return service.json(path);
    }

    @Test
    void startsAMoveAndTellsHowItEnds() throws SQLException {
        run(
                "SET tenantry.node = 'worker1'",
                "CREATE SCHEMA api_moved",
                "CREATE TABLE api_moved.t (id int PRIMARY KEY)");
        run("INSERT INTO api_moved.t SELECT generate_series(1, 1000)");
        HttpResponse<String> answer = move(ADMIN, "api_moved", "worker2");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        JsonObject started = new JsonObject(answer.body());
        String path = "/api/moves/" + started.getLong("moveid");
        assertThat(answer.headers().firstValue("Location").orElseThrow()).endsWith(path);
        assertThat(started.getString("schema_name")).isEqualTo("api_moved");
        assertThat(started.getString("source") + ">" + started.getString("target"))
                .isEqualTo("worker1>worker2");
        JsonObject ended = ended(path);
        assertThat(ended.getString("phase")).as(ended.encode()).isEqualTo("done");
        assertThat(ended.getLong("bytes_copied"))
                .isEqualTo(ended.getLong("bytes_total"))
                .isPositive();
        assertThat(ended.getInteger("tables_copied")).isEqualTo(1).isEqualTo(ended.getInteger("tables_total"));
        assertThat(ended.getValue("error")).isNull();
        assertThat(ended.getValue("eta_seconds")).isNull();
        JsonObject list = service.json("/api/moves?schema=api_moved&running=false&limit=1");
        assertThat(list.getLong("total")).isEqualTo(1);
        assertThat(list.getJsonArray("items").getJsonObject(0)).isEqualTo(ended);
        assertThat(service.json("/api/moves?schema=api_moved&running=true").getJsonArray("items"))
                .isEmpty();
        // Back again, to a node named by its address.
        String home =
                service.nodes().get(1).host() + ":" + service.nodes().get(1).port();
        assertThat(move(ADMIN, "api_moved", home).statusCode()).isEqualTo(201);
        assertThat(service.json("/api/moves?schema=api_moved").getLong("total")).isEqualTo(2);
        assertThat(service.json("/api/moves?schema=api_moved")
                        .getJsonArray("items")
                        .getJsonObject(1))
                .isEqualTo(ended);
    }

    @Test
    void undoesAMoveThatWaits() throws Exception {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA api_undone", "CREATE TABLE api_undone.t (id int)");
        try (Connection writer = service.connect()) {
            writer.setAutoCommit(false);
            run(writer, "INSERT INTO api_undone.t VALUES (1)");
            String path = "/api/moves/"
                    + new JsonObject(move(ADMIN, "api_undone", "worker2").body()).getLong("moveid");
            Eventually.passes(() ->
                    assertThat(service.json(path).getJsonArray("waiting_for")).isNotEmpty());
            assertProblem(move(ADMIN, "api_undone", "worker2"), 409, "conflict", "could not acquire the lock");
            assertProblem(service.delete(path, basic("other", "other")), 403, "not_allowed", "must be owner of schema");
            HttpResponse<String> cancelled = service.delete(path, ADMIN);
            assertThat(cancelled.statusCode()).as(cancelled.body()).isEqualTo(202);
            JsonObject ended = ended(path);
            assertThat(ended.getString("phase")).isEqualTo("cancelled");
            assertThat(ended.getString("sqlstate")).isEqualTo("57014");
            assertProblem(service.delete(path, ADMIN), 409, "conflict", "has switched or ended");
            writer.rollback();
        }
    }

    @Test
    void letsOwnersMoveTheirSchemasAndNobodyElse() throws SQLException {
        try (Connection owner = service.connectAs("owner", "own")) {
            run(owner, "SET tenantry.node = 'worker1'", "CREATE SCHEMA \"api Owner's\"");
        }
        assertProblem(
                move(basic("other", "other"), "api Owner's", "worker2"), 403, "not_allowed", "must be owner of schema");
        assertProblem(move(basic("owner", "wrong"), "api Owner's", "worker2"), 401, "authentication_required", "");
        HttpResponse<String> answer = move(basic("owner", "own"), "api Owner's", "worker2");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        String path = "/api/moves/" + new JsonObject(answer.body()).getLong("moveid");
        assertThat(ended(path).getString("phase")).isEqualTo("done");
        assertProblem(service.get(path, basic("owner", "own")), 403, "not_allowed", "pg_monitor");
    }

    @Test
    void saysWhyAMoveCannotBe() throws SQLException {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA api_refused");
        assertProblem(move(ADMIN, "api_refused", "worker1"), 422, "refused", "on node \"worker1\" already");
        assertProblem(move(ADMIN, "api_refused", "worker9"), 422, "refused", "node \"worker9\" does not exist.");
        assertProblem(move(ADMIN, "nowhere", "worker2"), 422, "refused", "schema \"nowhere\" does not exist");
        assertProblem(move(ADMIN, "public", "worker2"), 422, "refused", "is not a distributed schema");
        for (String body : List.of("", "{}", "{\"schema\": \"x\"}", "{\"node\": \"x\"}", "[", "null")) {
            HttpResponse<String> answer = service.post("/api/moves", ADMIN, body);
            assertThat(answer.statusCode()).as(body).isEqualTo(400);
            assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        }
        assertProblem(
                service.post(
                        "/api/moves",
                        ADMIN,
                        "{\"schema\": \"api_refused\", \"node\": \"worker2\", \"shard_transfer_mode\": \"slow\"}"),
                400,
                "bad_parameter",
                "shard_transfer_mode");
        assertProblem(service.get("/api/moves?running=perhaps", ADMIN), 400, "bad_parameter", "running");
        for (String id : List.of("0", "999999999999999999", "x", "-1", "99999999999999999999")) {
            assertProblem(service.get("/api/moves/" + id, ADMIN), 404, "not_found", "no move " + id);
            assertProblem(service.delete("/api/moves/" + id, ADMIN), 404, "not_found", "no move " + id);
        }
    }

    @Test
    void streamsAMoveUntilItHasEnded() throws Exception {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA api_streamed", "CREATE TABLE api_streamed.t (id int)");
        try (Connection writer = service.connect()) {
            writer.setAutoCommit(false);
            run(writer, "INSERT INTO api_streamed.t VALUES (1)");
            long id = new JsonObject(move(ADMIN, "api_streamed", "worker2").body()).getLong("moveid");
            HttpResponse<Stream<String>> answer = service.stream("/api/moves/" + id);
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
                    .startsWith("text/event-stream");
            List<JsonObject> events = new ArrayList<>();
            try (Stream<String> lines = answer.body()) {
                Iterator<String> line = lines.iterator();
                // Each comes while the move goes on, which it does not before the transaction has ended.
                while (events.isEmpty()
                        || events.getLast().getJsonArray("waiting_for").isEmpty()) {
                    events.add(event(line));
                }
                writer.commit();
                while (line.hasNext()) {
                    events.add(event(line));
                }
            }
            assertThat(events).allMatch(event -> event.getLong("moveid") == id);
            assertThat(events.getLast().getString("phase")).isEqualTo("done");
            assertThat(events).doesNotHaveDuplicates();
        }
        assertThat(service.stream("/api/moves/999999").statusCode()).isEqualTo(404);
    }

    @Test
    void streamsAllMovesAsTheyCome() throws Exception {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA api_all_one", "CREATE SCHEMA api_all_two");
        HttpResponse<Stream<String>> answer = service.stream("/api/moves");
        List<String> ended = new ArrayList<>();
        try (Stream<String> lines = answer.body()) {
            Iterator<String> line = lines.iterator();
            move(ADMIN, "api_all_one", "worker2");
            move(ADMIN, "api_all_two", "worker2");
            while (ended.size() < 2) {
                JsonObject event = event(line);
                if (event.getString("schema_name").startsWith("api_all_") && event.getString("finished_at") != null) {
                    ended.add(event.getString("schema_name") + " " + event.getString("phase"));
                }
            }
        }
        assertThat(ended).containsExactlyInAnyOrder("api_all_one done", "api_all_two done");
    }

    @Test
    void givesNoMoreStreamsThanItCan() throws Exception {
        List<Stream<String>> open = new ArrayList<>();
        try {
            Eventually.passes(() -> {
                HttpResponse<Stream<String>> answer = service.stream("/api/moves");
                open.add(answer.body());
                assertThat(answer.statusCode()).isEqualTo(429);
            });
        } finally {
            open.forEach(Stream::close);
        }
        // Who has gone is noticed.
        Eventually.passes(() -> {
            HttpResponse<Stream<String>> answer = service.stream("/api/moves");
            answer.body().close();
            assertThat(answer.statusCode()).isEqualTo(200);
        });
    }

    /** The next event; comments say nothing. */
    private static JsonObject event(Iterator<String> lines) {
        String line = lines.next();
        while (line.startsWith(":") || line.isEmpty()) {
            line = lines.next();
        }
        assertThat(line).isEqualTo("event: move");
        String data = lines.next();
        assertThat(data).startsWith("data: {");
        assertThat(lines.next()).isEmpty();
        return new JsonObject(data.substring("data: ".length()));
    }
}
