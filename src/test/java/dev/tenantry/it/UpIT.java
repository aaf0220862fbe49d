package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.FreePort;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.UpProcess;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./tenantry up} as a person uses it: started, stopped, killed, started again. */
class UpIT {

    private static final Path DEBIAN_15 = Path.of("/usr/lib/postgresql/15/bin");

    @TempDir
    private Path folder;

    private final int port = FreePort.draw();
    private final int httpPort = FreePort.draw();

    @Test
    void printsOneReadyLineServesAndLeavesNothingBehind() throws Exception {
        try (UpProcess up = up()) {
            UpProcess.Ready ready = up.awaitReady();
            assertThat(ready.role()).isEqualTo("tenantry");
            assertThat(ready.host()).isEqualTo("127.0.0.1");
            assertThat(query(ready, "SELECT current_user || '@' || current_database()"))
                    .isEqualTo("tenantry@tenantry");
            assertThat(UpProcess.serversUnder(folder)).isNotEmpty();
            up.stop();
            assertThat(up.output()).hasSize(1);
            assertThat(UpProcess.serversUnder(folder)).isEmpty();
        }
    }

    @Test
    void keepsEverythingOverRestart() throws Exception {
        try (UpProcess up = up()) {
            UpProcess.Ready ready = up.awaitReady();
            execute(ready, "CREATE SCHEMA tenant");
            execute(ready, "CREATE TABLE tenant.kept AS SELECT 42 AS x");
        }
        int kept = port("worker1");
        // Somebody else has taken the worker's port meanwhile: it moves, and the catalog follows.
        try (ServerSocket squatter = new ServerSocket(kept, 1, InetAddress.getLoopbackAddress());
                UpProcess up = up()) {
            assertThat(squatter.isBound()).isTrue();
            assertThat(query(up.awaitReady(), "SELECT x FROM tenant.kept")).isEqualTo("42");
            assertThat(port("worker1")).isNotEqualTo(kept);
        }
    }

    @Test
    void usesServersThatAreThereAlready() throws Exception {
        try (PostgresNode coordinator = PostgresNode.start("coordinator");
                PostgresNode worker = PostgresNode.start("worker1");
                UpProcess up = UpProcess.launch(
                        "--coordinator",
                        coordinator.url(),
                        "--worker",
                        worker.host() + ":" + worker.port(),
                        "--port",
                        Integer.toString(port),
                        "--http-port",
                        Integer.toString(httpPort))) {
            UpProcess.Ready ready = up.awaitReady();
            assertThat(ready.password()).isEmpty();
            UpProcess.Ready known =
                    new UpProcess.Ready(ready.role(), "tenantry", ready.host(), ready.port(), ready.database());
            execute(known, "CREATE SCHEMA tenant");
            execute(known, "CREATE TABLE tenant.kept AS SELECT 42 AS x");
            try (Connection direct = worker.connect();
                    Statement statement = direct.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT x FROM tenant.kept")) {
                assertThat(rows.next()).isTrue();
            }
            up.stop();
            assertThat(worker.connect().isClosed()).isFalse();
        }
    }

    @Test
    void saysWhyTheCoordinatorCantBeUsed() throws Exception {
        try (UpProcess up = UpProcess.launch(
                "--coordinator", "postgresql://nobody@127.0.0.1", "--port", free(), "--http-port", free())) {
            assertThat(up.awaitExit()).isEqualTo(1);
            assertThat(up.errors()).contains("tenantry: ").doesNotContain("\tat ");
            assertThat(up.output()).isEmpty();
        }
    }

    @Test
    void recoversAfterItWasKilled() throws Exception {
        List<ProcessHandle> orphans;
        try (UpProcess up = up()) {
            execute(up.awaitReady(), "CREATE TABLE kept AS SELECT 42 AS x");
            up.kill();
            orphans = UpProcess.serversUnder(folder);
            assertThat(orphans).isNotEmpty();
        }
        try (UpProcess up = up()) {
            assertThat(query(up.awaitReady(), "SELECT x FROM kept")).isEqualTo("42");
            assertThat(orphans).noneMatch(ProcessHandle::isAlive);
        }
    }

    @Test
    void recoversAfterEverythingWasKilled() throws Exception {
        try (UpProcess up = up()) {
            execute(up.awaitReady(), "CREATE TABLE kept AS SELECT 42 AS x");
            up.kill();
            UpProcess.serversUnder(folder).forEach(ProcessHandle::destroyForcibly);
            Eventually.passes(() -> assertThat(UpProcess.serversUnder(folder)).isEmpty());
        }
        try (UpProcess up = up()) {
            assertThat(query(up.awaitReady(), "SELECT x FROM kept")).isEqualTo("42");
        }
    }

    @Test
    void startsAgainAfterItsPasswordWasChanged() throws Exception {
        try (UpProcess up = up()) {
            UpProcess.Ready ready = up.awaitReady();
            execute(ready, "CREATE SCHEMA tenant");
            execute(ready, "CREATE TABLE tenant.kept AS SELECT 42 AS x");
            execute(ready, "ALTER ROLE tenantry PASSWORD 'changed'");
        }
        try (UpProcess up = up()) {
            UpProcess.Ready ready = up.awaitReady();
            assertThat(ready.password()).isEmpty();
            UpProcess.Ready known =
                    new UpProcess.Ready(ready.role(), "changed", ready.host(), ready.port(), ready.database());
            assertThat(query(known, "SELECT x FROM tenant.kept")).isEqualTo("42");
            assertThat(query(known, "SELECT count(shard_size) FROM citus_shards"))
                    .isEqualTo("1");
        }
    }

    @Test
    void leavesAWorkerAwayThatWasRemoved() throws Exception {
        try (UpProcess up = up()) {
            execute(up.awaitReady(), "SELECT citus_remove_node('127.0.0.1', " + port("worker1") + ")");
        }
        for (int i = 0; i < 2; i++) {
            try (UpProcess up = up()) {
                assertThat(query(up.awaitReady(), "SELECT string_agg(role, ',') FROM citus_nodes"))
                        .isEqualTo("coordinator");
                assertThat(UpProcess.serversUnder(folder.resolve("worker1"))).isEmpty();
                assertThat(UpProcess.serversUnder(folder.resolve("coordinator")))
                        .isNotEmpty();
            }
        }
        assertThat(folder.resolve("worker1").resolve("PG_VERSION")).exists();
    }

    @Test
    void keepsAWorkerThatWasRemovedAndAddedAgain() throws Exception {
        try (UpProcess up = up()) {
            UpProcess.Ready ready = up.awaitReady();
            execute(ready, "SELECT citus_remove_node('127.0.0.1', " + port("worker1") + ")");
            execute(ready, "SELECT citus_add_node('127.0.0.1', " + port("worker1") + ")");
            execute(ready, "CREATE SCHEMA tenant");
            execute(ready, "CREATE TABLE tenant.kept AS SELECT 42 AS x");
        }
        try (UpProcess up = up()) {
            assertThat(query(up.awaitReady(), "SELECT x FROM tenant.kept")).isEqualTo("42");
        }
    }

    @Test
    void healsWhenAWorkerIsKilled() throws Exception {
        try (UpProcess up = up()) {
            up.awaitReady();
            long killed = postmaster("worker1");
            ProcessHandle.of(killed).orElseThrow().destroyForcibly();
            Eventually.passes(() -> {
                assertThat(postmaster("worker1")).isNotEqualTo(killed);
                try (Connection worker = connectTo("worker1")) {
                    assertThat(worker.isValid(5)).isTrue();
                }
            });
            assertThat(up.errors()).contains("server started again node=worker1");
        }
    }

    @Test
    void refusesFolderThatIsInUse() throws Exception {
        try (UpProcess up = up()) {
            up.awaitReady();
            try (UpProcess second =
                    UpProcess.launch("--data", folder.toString(), "--port", free(), "--http-port", free())) {
                assertThat(second.awaitExit()).isEqualTo(1);
                assertThat(second.errors())
                        .contains("is in use by another tenantry")
                        .doesNotContain("\tat ");
            }
        }
    }

    @Test
    void saysWhichPortIsTaken() throws Exception {
        try (ServerSocket squatter = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
                UpProcess up = up()) {
            assertThat(squatter.isBound()).isTrue();
            assertThat(up.awaitExit()).isEqualTo(1);
            assertThat(up.errors()).contains("port " + port).contains("--port").doesNotContain("\tat ");
        }
        try (ServerSocket squatter = new ServerSocket(httpPort, 1, InetAddress.getLoopbackAddress());
                UpProcess up = up()) {
            assertThat(squatter.isBound()).isTrue();
            assertThat(up.awaitExit()).isEqualTo(1);
            assertThat(up.errors())
                    .contains("port " + httpPort)
                    .contains("--http-port")
                    .doesNotContain("\tat ");
        }
        assertThat(folder.resolve("coordinator")).doesNotExist();
    }

    @Test
    void refusesWrongOptions() throws Exception {
        try (UpProcess up = up("--wrokers", "3")) {
            assertThat(up.awaitExit()).isEqualTo(2);
            assertThat(up.errors())
                    .isEqualToIgnoringNewLines("tenantry: unknown option --wrokers (see './tenantry help')");
        }
    }

    @Test
    void saysInOneLineWhichSettingIsWrong() throws Exception {
        Map<String, String> settings = Map.of("TENANTRY_POOL_SIZE", "many", "TENANTRY_POOL_SIZ", "3");
        try (UpProcess up = UpProcess.launch(settings, List.of("--data", folder.toString(), "--port", free()))) {
            assertThat(up.awaitExit()).isEqualTo(1);
            assertThat(up.errors().lines())
                    .containsExactly(
                            "tenantry: TENANTRY_POOL_SIZ is none of the settings and changes nothing"
                                    + " (see docs/configuration.md)",
                            "tenantry: TENANTRY_POOL_SIZE can't be \"many\", it takes a number from 1 to 10000");
            assertThat(up.output()).isEmpty();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void saysWhichAddressNobodyKnows() throws Exception {
        assertThat(refusal(Map.of("TENANTRY_HOST", "nowhere.invalid")))
                .contains("tenantry: tenantry.host can't be \"nowhere.invalid\"");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void saysWhichFileItsTlsLacks() throws Exception {
        assertThat(refusal(Map.of("TENANTRY_PROXY_TLS_CLIENT_MODE", "require")))
                .contains("tenantry: tenantry.proxy.tls.certificate is not set");
        assertThat(refusal(Map.of(
                        "TENANTRY_PROXY_TLS_NODE_MODE", "verify-ca",
                        "TENANTRY_PROXY_TLS_NODE_ROOT_CERTIFICATE", "/nowhere/root.pem")))
                .contains("tenantry: could not read file \"/nowhere/root.pem\": No such file or directory");
        assertThat(folder).isEmptyDirectory();
    }

    private String refusal(Map<String, String> settings) throws Exception {
        List<String> arguments = List.of("--data", folder.toString(), "--port", free(), "--http-port", free());
        try (UpProcess up = UpProcess.launch(settings, arguments)) {
            assertThat(up.awaitExit()).isEqualTo(1);
            assertThat(up.errors()).doesNotContain("\tat ");
            return up.errors();
        }
    }

    @Test
    void saysWhyItsFoldersCantBeUsed() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        try (UpProcess up =
                UpProcess.launch("--data", file.resolve("data").toString(), "--port", free(), "--http-port", free())) {
            assertThat(up.awaitExit()).isEqualTo(1);
            assertThat(up.errors()).contains(file + "/data: Not a directory").doesNotContain("Exception");
        }
    }

    @Test
    void runsOnPostgres15() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(DEBIAN_15.resolve("postgres")), "no PostgreSQL 15 here");
        try (UpProcess up = up("--pg-bin", DEBIAN_15.toString())) {
            assertThat(query(up.awaitReady(), "SHOW server_version_num")).startsWith("15");
        }
    }

    private UpProcess up(String... more) {
        List<String> options = new ArrayList<>(List.of(
                "--workers",
                "1",
                "--data",
                folder.toString(),
                "--port",
                Integer.toString(port),
                "--http-port",
                Integer.toString(httpPort)));
        options.addAll(List.of(more));
        return UpProcess.launch(options.toArray(String[]::new));
    }

    private static String free() {
        return Integer.toString(FreePort.draw());
    }

    private long postmaster(String node) throws Exception {
        return Long.parseLong(Files.readAllLines(folder.resolve(node).resolve("postmaster.pid"))
                .getFirst());
    }

    private int port(String node) throws Exception {
        Properties state = new Properties();
        try (var reader = Files.newBufferedReader(folder.resolve("cluster.properties"))) {
            state.load(reader);
        }
        return Integer.parseInt(state.getProperty(node + ".port"));
    }

    private Connection connectTo(String node) throws Exception {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port(node) + "/tenantry?loginTimeout=5", "tenantry", "tenantry");
    }

    private static void execute(UpProcess.Ready ready, String sql) throws SQLException {
        try (Connection connection = ready.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String query(UpProcess.Ready ready, String sql) throws SQLException {
        try (Connection connection = ready.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
