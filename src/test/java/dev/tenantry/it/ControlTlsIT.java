package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.recovery.PreparedTransactionRecovery;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ClusterView;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerTls;
import dev.tenantry.store.ServerTls.Mode;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.TestCertificate;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.flywaydb.core.api.FlywayException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The control plane over servers that let nobody in without TLS. */
class ControlTlsIT {

    @TempDir
    private static Path folder;

    private static final TestCertificate CERTIFICATE = TestCertificate.create();
    private static PostgresNode coordinator;
    private static PostgresNode worker;
    private static Vertx vertx;

    @BeforeAll
    static void start() throws Exception {
        coordinator = PostgresNode.start("coordinator");
        worker = PostgresNode.start("worker1");
        vertx = Vertx.vertx();
        for (PostgresNode node : List.of(coordinator, worker)) {
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement()) {
                CERTIFICATE.install(statement);
                statement.execute("COPY (VALUES ('hostssl all all 127.0.0.1/32 scram-sha-256')) TO PROGRAM"
                        + " 'cat > pg_hba.conf'");
            }
            node.restart();
        }
        CERTIFICATE.writeCertificate(folder);
        Files.writeString(folder.resolve("other.crt"), TestCertificate.create().certificatePem());
    }

    @AfterAll
    static void stop() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
        worker.close();
        coordinator.close();
    }

    private static ControlPlane control(Mode mode, Optional<Path> roots) {
        return new ControlPlane(
                vertx,
                address(mode, roots),
                List.of(new WorkerAddress(worker.host(), worker.port())),
                ControlLimits.DEFAULT,
                new SimpleMeterRegistry());
    }

    private static CoordinatorAddress address(Mode mode, Optional<Path> roots) {
        return CoordinatorAddress.parse(coordinator.url()).with(new ServerTls(mode, roots));
    }

    private static Optional<Path> root(String file) {
        return Optional.of(folder.resolve(file));
    }

    private static List<String> lines(PostgresNode node, String sql) throws SQLException {
        List<String> found = new ArrayList<>();
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                found.add(rows.getString(1));
            }
        }
        return found;
    }

    @ParameterizedTest
    @EnumSource(
            value = Mode.class,
            names = {"PREFER", "REQUIRE", "VERIFY_CA", "VERIFY_FULL"})
    void worksWithEncryptedConnections(Mode mode) throws Exception {
        Optional<Path> roots = mode.name().startsWith("VERIFY") ? root("server.crt") : Optional.empty();
        try (ControlPlane control = control(mode, roots)) {
            control.start(Duration.ZERO);
            assertThat(control.catalog().current().nodes()).hasSize(2);
            assertThat(control.views().read(ClusterView.NODES, List.of(), 10, 0).items())
                    .hasSize(2);
            assertThat(control.views()
                            .read(ClusterView.SHARDS, List.of(), 10, 0)
                            .total())
                    .isZero();
            try (PreparedTransactionRecovery recovery = new PreparedTransactionRecovery(
                    vertx, control.catalog(), address(mode, roots), Duration.ZERO, action -> {})) {
                assertThat(recovery.recover(Set.of())).isZero();
            }
            Eventually.passes(() -> assertThat(lines(
                            coordinator,
                            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                    + " WHERE application_name = 'tenantry control'"))
                    .isNotEmpty()
                    .containsOnly("t"));
            assertThat(lines(coordinator, "SELECT unnest(srvoptions) FROM pg_foreign_server ORDER BY 1"))
                    .isEqualTo(
                            mode.name().startsWith("VERIFY")
                                    ? List.of("channel_binding=require", "sslmode=require")
                                    : List.of("sslmode=" + mode.name().toLowerCase(java.util.Locale.ROOT)));
        }
    }

    @Test
    void needsTlsWhenTheServerDoes() {
        try (ControlPlane control = control(Mode.DISABLE, Optional.empty())) {
            assertThatThrownBy(() -> control.start(Duration.ZERO)).hasMessageContaining("pg_hba.conf");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Mode.class,
            names = {"VERIFY_CA", "VERIFY_FULL"})
    void trustsNoServerThatNobodyVouchesFor(Mode mode) {
        try (ControlPlane control = control(mode, root("other.crt"))) {
            assertThatThrownBy(() -> control.start(Duration.ZERO))
                    .isInstanceOfAny(CatalogUnavailableException.class, FlywayException.class);
        }
    }
}
