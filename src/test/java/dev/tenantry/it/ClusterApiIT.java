package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.api.ApiAccess;
import dev.tenantry.control.api.ClusterResource;
import dev.tenantry.control.api.Page;
import dev.tenantry.control.api.Problem;
import dev.tenantry.store.ClusterViews.ClusterNode;
import dev.tenantry.store.ClusterViews.Schema;
import dev.tenantry.store.ClusterViews.Shard;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import jakarta.ws.rs.WebApplicationException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The REST resource over real servers: who may read, what is read, and how it is refused. */
class ClusterApiIT {

    private static final String ADMIN = basic("tenantry", "tenantry");

    private static PostgresNode coordinator;
    private static PostgresNode worker;
    private static Vertx vertx;
    private static ControlPlane control;
    private static ClusterResource api;

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        worker = PostgresNode.start("worker1");
        vertx = Vertx.vertx();
        control = new ControlPlane(
                vertx,
                CoordinatorAddress.parse(coordinator.url()),
                List.of(WorkerAddress.parse(worker.host() + ":" + worker.port())),
                FeedLimits.DEFAULT);
        control.start();
        ApiAccess access = new ApiAccess();
        access.open(control.catalog(), control.views());
        api = new ClusterResource(access);
        run(coordinator, "CREATE ROLE watcher LOGIN PASSWORD 'wätch' IN ROLE pg_monitor");
        run(coordinator, "CREATE ROLE nobody LOGIN PASSWORD 'secret'");
        for (String schema : List.of("acme", "bravo", "Charlie's")) {
            run(worker, "CREATE SCHEMA \"" + schema + "\"; CREATE TABLE \"" + schema + "\".notes (id int)");
            run(
                    coordinator,
                    "CREATE SCHEMA \"" + schema + "\"; SELECT tenantry.register_schema('" + schema.replace("'", "''")
                            + "', nodeid) FROM tenantry.node WHERE groupid = 1");
        }
    }

    @AfterAll
    static void stop() {
        control.close();
        vertx.close();
        worker.close();
        coordinator.close();
    }

    private static void run(PostgresNode node, String sql) throws SQLException {
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SET tenantry.schema_ddl = on");
            statement.execute(sql);
        }
    }

    private static String basic(String role, String password) {
        byte[] pair = (role + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    private static Problem refused(@Nullable String authorization, @Nullable String limit) {
        WebApplicationException refused = catchThrowableOfType(
                WebApplicationException.class, () -> api.schemas(authorization, List.of(), limit, null));
        assertThat(refused.getResponse().getMediaType().toString()).isEqualTo(Problem.MEDIA_TYPE);
        return (Problem) refused.getResponse().getEntity();
    }

    @Test
    void letsOnlySuperusersAndMonitorsRead() {
        assertThat(api.schemas(ADMIN, List.of(), null, null).total()).isEqualTo(3);
        assertThat(api.schemas(basic("watcher", "wätch"), List.of(), null, null).total())
                .isEqualTo(3);
        assertThat(refused(basic("nobody", "secret"), null).code()).isEqualTo("not_allowed");
        for (String wrong :
                List.of(basic("tenantry", "wrong"), basic("ghost", "x"), "Bearer x", "Basic !", "Basic eA==")) {
            assertThat(refused(wrong, null))
                    .returns("authentication_required", Problem::code)
                    .returns(401, Problem::status);
        }
        assertThat(refused(null, null).status()).isEqualTo(401);
    }

    @Test
    void pagesThroughRowsInTheirOrder() {
        Page<Schema> page = api.schemas(ADMIN, List.of(), "2", "1");
        assertThat(page.total()).isEqualTo(3);
        assertThat(page.items()).extracting(Schema::schemaName).containsExactly("bravo", "\"Charlie's\"");
        assertThat(page.items()).allMatch(row -> row.nodeport() == worker.port() && "0 bytes".equals(row.schemaSize()));
        assertThat(api.schemas(ADMIN, List.of(), "2", "7")).isEqualTo(new Page<>(3, 2, 7, List.of()));
        for (String wrong : List.of("0", "1001", "-1", "x", "99999999999", "")) {
            assertThat(refused(ADMIN, wrong).code()).isEqualTo("bad_parameter");
        }
    }

    @Test
    void filtersBySchemasExactly() {
        assertThat(api.shards(ADMIN, List.of("acme", "Charlie's"), null, null).items())
                .extracting(Shard::tableName)
                .containsExactly("\"Charlie's\".notes", "acme.notes");
        assertThat(api.tables(ADMIN, List.of("bravo"), null, null).items())
                .singleElement()
                .satisfies(row -> assertThat(row.tableName() + row.citusTableType() + row.shardCount())
                        .isEqualTo("bravo.notesschema1"));
        assertThat(api.tables(ADMIN, List.of("BRAVO"), null, null).total()).isZero();
        assertThat(api.nodes(ADMIN, List.of(), null, null).total()).isEqualTo(2);
        assertThat(api.nodes(ADMIN, List.of("acme"), null, null).items())
                .containsExactly(new ClusterNode(worker.host(), worker.port(), "worker", true));
    }

    @Test
    void saysThatItIsNotOpen() {
        ApiAccess closed = new ApiAccess();
        WebApplicationException refused = catchThrowableOfType(
                WebApplicationException.class, () -> new ClusterResource(closed).nodes(ADMIN, List.of(), null, null));
        assertThat(refused.getResponse().getStatus()).isEqualTo(503);
    }
}
