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

/** Rebalances over HTTP: planned, started, ended, looked at once and as they go on, and refused. */
class RebalanceApiIT {

    private static final String BY_COUNT = "{\"strategy\": \"by_shard_count\"}";

    private static HttpService service;

    @BeforeAll
    static void start() throws Exception {
        service = HttpService.start(2);
        run("CREATE ROLE watcher LOGIN PASSWORD 'watch'", "GRANT pg_monitor TO watcher");
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

    private static List<JsonObject> objects(JsonObject in, String field) {
        return in.getJsonArray(field).stream().map(JsonObject.class::cast).toList();
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String code, String words) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("application/problem+json");
        JsonObject problem = new JsonObject(answer.body());
        assertThat(problem.getString("code")).isEqualTo(code);
        assertThat(problem.getString("detail")).contains(words);
    }

    @Test
    void plansStartsStreamsAndStops() throws Exception {
        List<String> schemas = new ArrayList<>(List.of("SET tenantry.node = 'worker1'"));
        for (int i = 0; i < 4; i++) {
            schemas.add("CREATE SCHEMA spread_" + i);
            schemas.add("CREATE TABLE spread_" + i + ".t (id int)");
        }
        run(schemas.toArray(new String[0]));
        JsonObject plan = service.json("/api/rebalances/plan?strategy=by_shard_count");
        assertThat(objects(plan, "moves"))
                .hasSize(2)
                .allMatch(move -> move.getString("source").equals("worker1")
                        && move.getString("target").equals("worker2")
                        && move.getString("schema").startsWith("spread_"));
        assertThat(objects(plan, "nodes"))
                .anyMatch(node -> node.getString("node").equals("worker2")
                        && node.getInteger("schemas_before") == 0
                        && node.getInteger("schemas_after") == 2);
        // Nobody's transaction lets the first one come to its end.
        try (Connection writer = service.connect()) {
            writer.setAutoCommit(false);
            String held = objects(plan, "moves").getFirst().getString("schema");
            run(writer, "INSERT INTO " + held + ".t VALUES (1)");
            JsonObject stopped = start(BY_COUNT);
            assertProblem(service.post("/api/rebalances", ADMIN, BY_COUNT), 409, "conflict", "rebalance");
            String path = "/api/rebalances/" + stopped.getLong("id");
            Eventually.passes(() -> assertThat(objects(service.json(path), "tasks"))
                    .anyMatch(
                            task -> task.getString("status").equals("running") && task.getJsonObject("move") != null));
            HttpResponse<String> answer = service.delete(path, ADMIN);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            Eventually.passes(
                    () -> assertThat(service.json(path).getString("state")).isEqualTo("cancelled"));
            assertProblem(service.delete(path, ADMIN), 409, "conflict", "has ended");
            writer.rollback();
        }
        JsonObject started = start(BY_COUNT);
        List<JsonObject> events = new ArrayList<>();
        try (Stream<String> lines =
                service.stream("/api/rebalances/" + started.getLong("id")).body()) {
            Iterator<String> line = lines.iterator();
            while (line.hasNext()) {
                String text = line.next();
                if (text.startsWith("data: ")) {
                    events.add(new JsonObject(text.substring("data: ".length())));
                }
            }
        }
        assertThat(events.getLast().getString("state")).isEqualTo("finished");
        assertThat(objects(events.getLast(), "tasks"))
                .isNotEmpty()
                .allMatch(task -> task.getString("status").equals("done"));
        assertThat(service.post("/api/rebalances", ADMIN, BY_COUNT).statusCode())
                .isEqualTo(204);
        JsonObject list = service.json("/api/rebalances?limit=1");
        assertThat(list.getLong("total")).isEqualTo(2);
        assertThat(objects(list, "items"))
                .singleElement()
                .satisfies(last -> assertThat(last.getLong("id")).isEqualTo(started.getLong("id")));
    }

    @Test
    void saysWhyAStrategyCannotBeUsed() throws SQLException {
        run(
                "CREATE FUNCTION public.unsure(bigint, int) RETURNS boolean LANGUAGE plpgsql AS"
                        + " $$ BEGIN RAISE 'who knows'; END $$",
                "CREATE FUNCTION public.nothing(int) RETURNS real LANGUAGE sql AS 'SELECT 1::real / 0'",
                "SELECT citus_add_rebalance_strategy('unsure', 'tenantry.citus_shard_cost_1',"
                        + " 'tenantry.citus_node_capacity_1', 'public.unsure', 0)",
                "SELECT citus_add_rebalance_strategy('nothing', 'tenantry.citus_shard_cost_1', 'public.nothing',"
                        + " 'tenantry.citus_shard_allowed_on_node_true', 0)",
                "CREATE SCHEMA doubtful",
                "CREATE TABLE doubtful.t (id int)");
        assertProblem(service.get("/api/rebalances/plan?strategy=unsure", ADMIN), 422, "refused", "who knows");
        assertProblem(service.post("/api/rebalances", ADMIN, "{\"strategy\": \"nothing\"}"), 422, "refused", "by zero");
        run("DROP FUNCTION public.nothing(int)", "DROP SCHEMA doubtful CASCADE");
        assertProblem(service.get("/api/rebalances/plan?strategy=nothing", ADMIN), 422, "refused", "node_capacity");
    }

    private static JsonObject start(String body) {
        HttpResponse<String> answer = service.post("/api/rebalances", ADMIN, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        JsonObject started = new JsonObject(answer.body());
        assertThat(answer.headers().firstValue("Location").orElseThrow())
                .endsWith("/api/rebalances/" + started.getLong("id"));
        return started;
    }

    @Test
    void saysWhatItDoesNotDo() {
        String watcher = basic("watcher", "watch");
        assertThat(service.get("/api/rebalances", watcher).statusCode()).isEqualTo(200);
        assertProblem(service.post("/api/rebalances", watcher, "{}"), 403, "not_allowed", "superuser");
        assertProblem(service.delete("/api/rebalances/1", watcher), 403, "not_allowed", "superuser");
        assertThat(service.get("/api/rebalances/plan").statusCode()).isEqualTo(401);
        assertProblem(
                service.post("/api/rebalances", ADMIN, "{\"strategy\": \"by_colour\"}"), 422, "refused", "by_colour");
        assertProblem(service.get("/api/rebalances/plan?strategy=by_colour", ADMIN), 422, "refused", "by_colour");
        for (String wrong : List.of("threshold=x", "threshold=-1", "improvement_threshold=1e9", "drain_only=1")) {
            assertProblem(service.get("/api/rebalances/plan?" + wrong, ADMIN), 400, "bad_parameter", "");
        }
        for (String body : List.of("[]", "{\"threshold\": -1}", "{\"shard_transfer_mode\": \"x\"}", "null")) {
            assertThat(service.post("/api/rebalances", ADMIN, body).statusCode())
                    .as(body)
                    .isEqualTo(400);
        }
        assertProblem(service.get("/api/rebalances/99999", ADMIN), 404, "not_found", "no rebalance 99999");
        assertProblem(service.delete("/api/rebalances/x", ADMIN), 404, "not_found", "no rebalance x");
    }
}
