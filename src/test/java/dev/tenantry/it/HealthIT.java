package dev.tenantry.it;

import static dev.tenantry.support.HttpService.ADMIN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Eventually;
import dev.tenantry.support.Golden;
import dev.tenantry.support.HttpService;
import dev.tenantry.support.MetricsReference;
import io.vertx.core.json.JsonObject;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Health and metrics of the running service, through the coordinator's death to its own stop. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class HealthIT {

    private static final int EXIT_OF_SIGTERM = 128 + 15;

    private static HttpService service;

    @BeforeAll
    static void start() throws Exception {
        service = HttpService.start(1, Map.of("TENANTRY_STOP_DELAY", "PT3S"));
        run("CREATE SCHEMA tenant");
        run("CREATE TABLE tenant.notes (id int)");
        run("INSERT INTO tenant.notes VALUES (1)");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static void run(String sql) throws SQLException {
        try (Connection connection = service.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static JsonObject proxyCheck() {
        JsonObject health = service.json("/q/health/ready");
        return health.getJsonArray("checks").stream()
                .map(JsonObject.class::cast)
                .filter(check -> check.getString("name").equals("proxy"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    @Order(1)
    void isAliveAndReadyAndSaysByWhichCatalogItWorks() {
        assertThat(service.get("/q/health/live").statusCode()).isEqualTo(200);
        assertThat(service.get("/q/health/ready").statusCode()).isEqualTo(200);
        assertThat(proxyCheck().getString("status")).isEqualTo("UP");
        assertThat(proxyCheck().getJsonObject("data").getLong("catalogVersion")).isPositive();
        assertThat(proxyCheck().getJsonObject("data").getLong("catalogAgeSeconds"))
                .isBetween(0L, 30L);
    }

    @Test
    @Order(2)
    void exposesTheMetricsThatAreDocumented() throws Exception {
        try (Connection connection = service.connect();
                Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT * FROM tenant.notes").close();
            assertThatThrownBy(() -> statement.execute("SELECT 1 / 0")).hasMessageContaining("division by zero");
            Eventually.passes(() -> {
                String text = service.get("/q/metrics").body();
                Golden.check(Path.of("docs/metrics.md"), MetricsReference.of(text));
            });
        }
    }

    @Test
    @Order(3)
    void staysReadyWhileTheCoordinatorIsAwayBecauseItServesSessions() {
        service.nodes().getFirst().kill();
        Eventually.passes(() -> assertThat(proxyCheck().getJsonObject("data").getLong("catalogAgeSeconds"))
                .isGreaterThan(4));
        assertThat(service.get("/q/health/ready").statusCode()).isEqualTo(200);
        Eventually.passes(() -> run("INSERT INTO tenant.notes VALUES (2)"));
        assertThat(service.get("/api/citus_schemas", ADMIN).statusCode()).isEqualTo(503);
        service.nodes().getFirst().restart();
        Eventually.passes(() -> assertThat(proxyCheck().getJsonObject("data").getLong("catalogAgeSeconds"))
                .isLessThan(4));
        Eventually.passes(
                () -> assertThat(service.get("/api/citus_schemas", ADMIN).statusCode())
                        .isEqualTo(200));
    }

    @Test
    @Order(4)
    void isNotReadyFirstWhenItStopsThenTakesNoClientsAndWaitsForTransactions() throws Exception {
        try (Connection connection = service.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO tenant.notes VALUES (3)");
            service.process().handle().destroy();
            Eventually.passes(() ->
                    assertThat(service.get("/q/health/ready").statusCode()).isEqualTo(503));
            run("INSERT INTO tenant.notes VALUES (5)");
            assertThat(service.get("/q/health/live").statusCode()).isEqualTo(200);
            Eventually.passes(() -> assertThatThrownBy(() -> service.get("/q/health/ready"))
                    .hasRootCauseInstanceOf(ClosedChannelException.class));
            Eventually.passes(() -> assertThatThrownBy(() -> run("INSERT INTO tenant.notes VALUES (6)"))
                    .hasRootCauseInstanceOf(ConnectException.class));
            statement.execute("INSERT INTO tenant.notes VALUES (4)");
            connection.commit();
        }
        assertThat(service.process().awaitExit()).isEqualTo(EXIT_OF_SIGTERM);
    }
}
