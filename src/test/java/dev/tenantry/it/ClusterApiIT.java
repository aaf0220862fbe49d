package dev.tenantry.it;

import static dev.tenantry.support.HttpService.ADMIN;
import static dev.tenantry.support.HttpService.basic;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Eventually;
import dev.tenantry.support.Golden;
import dev.tenantry.support.HttpService;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The REST API of the running service: who may read, what is read, how it is refused, and how it is described. */
class ClusterApiIT {

    private static HttpService service;

    @BeforeAll
    static void start() throws Exception {
        service = HttpService.start(1);
        run("CREATE ROLE watcher LOGIN PASSWORD 'wätch'", "GRANT pg_monitor TO watcher");
        run("CREATE ROLE lazy NOINHERIT LOGIN PASSWORD 'wätch'", "GRANT pg_monitor TO lazy");
        run("CREATE ROLE nobody LOGIN PASSWORD 'secret'");
        for (String schema : List.of("acme", "bravo", "\"Charlie's\"")) {
            run("CREATE SCHEMA " + schema, "CREATE TABLE " + schema + ".notes (id int)");
        }
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static void run(String... statements) throws SQLException {
        try (Connection connection = service.connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static List<JsonObject> items(String path) {
        return service.json(path).getJsonArray("items").stream()
                .map(JsonObject.class::cast)
                .toList();
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type").orElseThrow()).startsWith("application/problem+json");
        JsonObject problem = new JsonObject(answer.body());
        assertThat(problem.fieldNames()).containsExactlyInAnyOrder("title", "status", "code", "detail");
        assertThat(problem.getInteger("status")).isEqualTo(status);
        assertThat(problem.getString("code")).isEqualTo(code);
    }

    @Test
    void letsOnlySuperusersAndMonitorsRead() {
        assertThat(service.get("/api/citus_schemas", ADMIN).statusCode()).isEqualTo(200);
        assertThat(service.get("/api/citus_schemas", basic("watcher", "wätch")).statusCode())
                .isEqualTo(200);
        assertThat(service.get("/api/citus_schemas", basic("lazy", "wätch")).statusCode())
                .isEqualTo(403);
        assertProblem(service.get("/api/citus_schemas", basic("nobody", "secret")), 403, "not_allowed");
        for (String wrong : List.of(basic("tenantry", ""), basic("ghost", "x"), "Bearer x", "Basic !", "Basic eA==")) {
            assertProblem(service.get("/api/citus_schemas", wrong), 401, "authentication_required");
        }
        HttpResponse<String> unknown = service.get("/api/citus_schemas");
        assertProblem(unknown, 401, "authentication_required");
        assertThat(unknown.headers().firstValue("WWW-Authenticate"))
                .contains("Basic realm=\"tenantry\", charset=\"UTF-8\"");
    }

    @Test
    void asksForARoleWhateverIsAskedFor() {
        for (String path : List.of(
                "citus_schemas",
                "citus_shards",
                "citus_tables",
                "citus_nodes",
                "sessions",
                "backends",
                "pools",
                "pins",
                "transactions")) {
            assertProblem(service.get("/api/" + path), 401, "authentication_required");
        }
    }

    @Test
    void slowsDownWhoGuessesPasswords() throws Exception {
        run("CREATE ROLE guessed LOGIN PASSWORD 'right'", "GRANT pg_monitor TO guessed");
        run("CREATE ROLE busy LOGIN PASSWORD 'right'", "GRANT pg_monitor TO busy");
        assertThat(service.get("/api/citus_nodes", basic("busy", "right")).statusCode())
                .isEqualTo(200);
        for (String role : List.of("guessed", "busy")) {
            for (int i = 0; i < 5; i++) {
                assertProblem(
                        service.get("/api/citus_nodes", basic(role, "wrong" + i)), 401, "authentication_required");
            }
            HttpResponse<String> early = service.get("/api/citus_nodes", basic(role, "wrong"));
            assertProblem(early, 429, "too_many_attempts");
            assertThat(early.headers().firstValueAsLong("Retry-After").orElseThrow())
                    .isBetween(1L, 60L);
        }
        assertProblem(service.get("/api/citus_nodes", basic("guessed", "right")), 429, "too_many_attempts");
        // Who has signed in before is not kept out by the guesses of others.
        assertThat(service.get("/api/citus_nodes", basic("busy", "right")).statusCode())
                .isEqualTo(200);
        Eventually.passes(() -> assertThat(service.get("/api/citus_nodes", basic("guessed", "right"))
                        .statusCode())
                .isEqualTo(200));
    }

    @Test
    void believesNoPasswordThatWasChanged() throws Exception {
        run("CREATE ROLE changing LOGIN PASSWORD 'before'", "GRANT pg_monitor TO changing");
        assertThat(service.get("/api/citus_nodes", basic("changing", "before")).statusCode())
                .isEqualTo(200);
        run("ALTER ROLE changing PASSWORD 'after'");
        assertThat(service.get("/api/citus_nodes", basic("changing", "after")).statusCode())
                .isEqualTo(200);
        assertThat(service.get("/api/citus_nodes", basic("changing", "before")).statusCode())
                .isEqualTo(401);
        run("ALTER ROLE changing NOLOGIN");
        Eventually.passes(() -> assertThat(service.get("/api/citus_nodes", basic("changing", "after"))
                        .statusCode())
                .isIn(401, 429));
    }

    @Test
    void namesFieldsAsTheColumnsOfTheViews() {
        assertThat(items("/api/citus_schemas").getFirst().fieldNames())
                .isEqualTo(
                        Set.of("schema_name", "colocation_id", "schema_size", "schema_owner", "nodename", "nodeport"));
        assertThat(items("/api/citus_shards").getFirst().fieldNames())
                .isEqualTo(Set.of(
                        "table_name",
                        "shardid",
                        "shard_name",
                        "citus_table_type",
                        "colocation_id",
                        "nodename",
                        "nodeport",
                        "shard_size"));
        assertThat(items("/api/citus_tables").getFirst().fieldNames())
                .isEqualTo(Set.of(
                        "table_name",
                        "citus_table_type",
                        "distribution_column",
                        "colocation_id",
                        "table_size",
                        "shard_count",
                        "table_owner",
                        "access_method"));
        assertThat(items("/api/citus_nodes").getFirst().fieldNames())
                .isEqualTo(Set.of("nodename", "nodeport", "role", "active"));
    }

    @Test
    void pagesThroughRowsInTheirOrder() {
        JsonObject page = service.json("/api/citus_schemas?limit=2&offset=1");
        assertThat(page.getLong("total")).isEqualTo(3);
        assertThat(page.getInteger("limit")).isEqualTo(2);
        assertThat(page.getInteger("offset")).isEqualTo(1);
        assertThat(items("/api/citus_schemas?limit=2&offset=1"))
                .extracting(row -> row.getString("schema_name"))
                .containsExactly("bravo", "\"Charlie's\"");
        assertThat(items("/api/citus_schemas"))
                .allMatch(row ->
                        row.getInteger("nodeport") == service.nodes().get(1).port()
                                && "0 bytes".equals(row.getString("schema_size")));
        JsonObject beyond = service.json("/api/citus_schemas?limit=2&offset=7");
        assertThat(beyond.getLong("total")).isEqualTo(3);
        assertThat(beyond.getJsonArray("items")).isEmpty();
        for (String wrong : List.of(
                "limit=0",
                "limit=1001",
                "limit=-1",
                "limit=x",
                "limit=1x",
                "offset=99999999999",
                "schema=a%00b",
                "schema=acme&schema=%00")) {
            assertProblem(service.get("/api/citus_schemas?" + wrong, ADMIN), 400, "bad_parameter");
        }
    }

    @Test
    void filtersBySchemasExactly() {
        assertThat(items("/api/citus_shards?schema=acme&schema=Charlie%27s"))
                .extracting(row -> row.getString("table_name"))
                .containsExactly("\"Charlie's\".notes", "acme.notes");
        assertThat(items("/api/citus_tables?schema=bravo"))
                .singleElement()
                .satisfies(row -> assertThat(row.getString("table_name") + " " + row.getString("citus_table_type") + " "
                                + row.getLong("shard_count"))
                        .isEqualTo("bravo.notes schema 1"));
        assertThat(items("/api/citus_tables?schema=BRAVO")).isEmpty();
        assertThat(items("/api/citus_nodes")).hasSize(2);
        PostgresNode worker = service.nodes().get(1);
        assertThat(items("/api/citus_nodes?schema=acme"))
                .containsExactly(new JsonObject()
                        .put("nodename", worker.host())
                        .put("nodeport", worker.port())
                        .put("role", "worker")
                        .put("active", true));
    }

    @Test
    void tellsWhatTheProxyDoes() throws Exception {
        try (Connection connection = service.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SET LOCAL application_name TO 'asked about'");
            statement.execute("SELECT FROM acme.notes");
            int session = items("/api/sessions").stream()
                    .filter(row -> row.getString("application_name").equals("asked about"))
                    .findFirst()
                    .orElseThrow()
                    .getInteger("session_id");
            assertThat(items("/api/transactions")).singleElement().satisfies(row -> {
                assertThat(row.getInteger("session_id")).isEqualTo(session);
                assertThat(row.getString("state")).isEqualTo("idle in transaction");
                assertThat(row.getJsonArray("nodes")).containsExactly("worker1");
                assertThat(row.getBoolean("distributed")).isFalse();
                assertThat(Instant.parse(row.getString("xact_start"))).isBefore(Instant.now());
            });
            assertThat(items("/api/backends"))
                    .filteredOn(row -> row.getString("kept_for").equals("transaction"))
                    .singleElement()
                    .satisfies(row -> assertThat(row.getInteger("session_id")).isEqualTo(session));
            assertThat(items("/api/pools"))
                    .filteredOn(row -> row.getString("node").equals("worker1"))
                    .anySatisfy(row -> assertThat(row.getInteger("used")).isEqualTo(1));
            assertThat(items("/api/pins")).isEmpty();
        }
        JsonObject page = service.json("/api/backends?limit=1&offset=1000000");
        assertThat(page.getInteger("limit")).isEqualTo(1);
        assertThat(page.getJsonArray("items")).isEmpty();
        assertProblem(service.get("/api/sessions?limit=0", ADMIN), 400, "bad_parameter");
    }

    @Test
    void namesFieldsAsTheColumnsOfShow() throws Exception {
        for (String what : List.of("sessions", "backends", "pools", "pins", "transactions")) {
            try (Connection connection = service.connect();
                    Statement statement = connection.createStatement();
                    Statement show = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute("SELECT FROM acme.notes");
                ResultSetMetaData columns =
                        show.executeQuery("SHOW tenantry." + what).getMetaData();
                Set<String> names = new HashSet<>();
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    names.add(columns.getColumnName(i));
                }
                items("/api/" + what)
                        .forEach(row -> assertThat(row.fieldNames()).isEqualTo(names));
            }
        }
    }

    @Test
    void answersWhatItDoesNotKnowWithProblemsToo() {
        assertProblem(service.get("/api/citus_nothing", ADMIN), 404, "not_found");
    }

    @Test
    void isDescribedByTheCommittedDocument() throws IOException {
        HttpResponse<String> answer = service.get("/q/openapi");
        assertThat(answer.statusCode()).isEqualTo(200);
        Golden.check(Path.of("docs/openapi.yaml"), answer.body());
    }
}
