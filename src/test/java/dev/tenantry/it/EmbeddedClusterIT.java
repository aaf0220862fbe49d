package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.embedded.Durability;
import dev.tenantry.embedded.EmbeddedCluster;
import dev.tenantry.embedded.EmbeddedException;
import dev.tenantry.embedded.PostgresBinaries;
import dev.tenantry.embedded.PostgresServer;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.support.Eventually;
import java.io.IOException;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded cluster as real processes: data that stays, servers that come back, folders that have one owner. */
class EmbeddedClusterIT {

    private static final Path DEBIAN_15 = Path.of("/usr/lib/postgresql/15/bin");

    @TempDir
    private Path folder;

    @Test
    void keepsDataPortsAndVerifierOverRestart() throws SQLException {
        List<Integer> ports;
        try (EmbeddedCluster cluster = start(2)) {
            ports = ports(cluster);
            execute(cluster.workers().get(1), "CREATE TABLE kept (x int); INSERT INTO kept VALUES (42)");
            assertThat(verifiers(cluster))
                    .hasSize(3)
                    .containsOnly(verifiers(cluster).getFirst());
        }
        try (EmbeddedCluster cluster = start(2)) {
            assertThat(ports(cluster)).isEqualTo(ports);
            assertThat(query(cluster.workers().get(1), "SELECT x FROM kept")).isEqualTo("42");
        }
    }

    @Test
    void givesNodesTheSettingsAClusterNeeds() throws SQLException {
        try (EmbeddedCluster cluster = start(1)) {
            PostgresServer worker = cluster.workers().getFirst();
            assertThat(query(worker, "SHOW wal_level")).isEqualTo("logical");
            assertThat(query(worker, "SHOW max_prepared_transactions")).isNotEqualTo("0");
            assertThat(query(worker, "SHOW server_encoding")).isEqualTo("UTF8");
            assertThat(query(worker, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
            assertThat(query(worker, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'tenantry'"))
                    .isEqualTo("tenantry");
        }
    }

    @Test
    void startsServerAgainWhenItIsKilled() throws SQLException {
        try (EmbeddedCluster cluster = start(1)) {
            PostgresServer worker = cluster.workers().getFirst();
            execute(worker, "CREATE TABLE kept AS SELECT 42 AS x");
            long killed = worker.postmaster().orElseThrow().pid();
            worker.postmaster().orElseThrow().destroyForcibly();
            Eventually.passes(
                    () -> assertThat(query(worker, "SELECT x FROM kept")).isEqualTo("42"));
            assertThat(worker.postmaster().orElseThrow().pid()).isNotEqualTo(killed);
        }
    }

    @Test
    void startsWhenTheFileOfADeadServerNamesWhatIsNone() throws Exception {
        start(1).close();
        // The shell becomes "sleep", which never asks how the other one ended: that one stays a zombie once it is
        // killed.
        Process parent = new ProcessBuilder("sh", "-c", "sleep 600 & echo $!; exec sleep 600").start();
        try {
            long zombie = Long.parseLong(parent.inputReader().readLine().strip());
            Eventually.passes(() -> assertThat(Files.readString(Path.of("/proc/" + parent.pid() + "/comm")))
                    .isEqualTo("sleep\n"));
            ProcessHandle.of(zombie).orElseThrow().destroyForcibly();
            Eventually.passes(() -> assertThat(Files.readString(Path.of("/proc/" + zombie + "/stat")))
                    .contains(") Z "));
            leaveFile("coordinator", zombie);
            leaveFile("worker1", parent.pid());
            try (EmbeddedCluster cluster = start(1)) {
                assertThat(query(cluster.workers().getFirst(), "SELECT 42")).isEqualTo("42");
            }
        } finally {
            parent.destroyForcibly();
        }
    }

    private void leaveFile(String node, long pid) throws IOException {
        Path data = folder.resolve(node);
        Files.writeString(
                data.resolve("postmaster.pid"),
                pid + "\n" + data + "\n1795298349\n21999\n\n127.0.0.1\n        1         1\nready   \n");
    }

    @Test
    void addsWorkersAndKeepsThoseThatExist() {
        start(1).close();
        try (EmbeddedCluster cluster = start(3)) {
            assertThat(cluster.workers())
                    .extracting(PostgresServer::name)
                    .containsExactly("worker1", "worker2", "worker3");
        }
        try (EmbeddedCluster cluster = start(1)) {
            assertThat(cluster.workers()).hasSize(3);
        }
    }

    @Test
    void refusesFolderThatIsInUse() {
        try (EmbeddedCluster cluster = start(1)) {
            assertThat(cluster.workers()).hasSize(1);
            assertThatThrownBy(() -> start(1))
                    .isInstanceOf(EmbeddedException.class)
                    .hasMessageContaining("is in use");
        }
    }

    @Test
    void takesAnotherPortWhenTheKeptOneIsTaken() throws Exception {
        int port;
        try (EmbeddedCluster cluster = start(1)) {
            port = cluster.workers().getFirst().port();
        }
        try (ServerSocket squatter = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
                EmbeddedCluster cluster = start(1)) {
            assertThat(squatter.isBound()).isTrue();
            assertThat(cluster.workers().getFirst().port()).isNotEqualTo(port);
            assertThat(query(cluster.workers().getFirst(), "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void leavesNoProcessBehind() {
        List<ProcessHandle> postmasters;
        try (EmbeddedCluster cluster = start(2)) {
            postmasters = servers(cluster)
                    .map(server -> server.postmaster().orElseThrow())
                    .toList();
            assertThat(postmasters).hasSize(3).allMatch(ProcessHandle::isAlive);
        }
        assertThat(postmasters).noneMatch(ProcessHandle::isAlive);
    }

    @Test
    void runsOnPostgres15AndRefusesItsDataWithOtherPrograms() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(DEBIAN_15.resolve("postgres")), "no PostgreSQL 15 here");
        EmbeddedCluster.Settings settings = new EmbeddedCluster.Settings(
                folder, 1, PostgresBinaries.in(DEBIAN_15), Superuser.DEFAULT, Durability.THROWAWAY);
        try (EmbeddedCluster cluster = EmbeddedCluster.start(settings)) {
            assertThat(query(cluster.coordinator(), "SHOW server_version_num")).startsWith("15");
        }
        assertThatThrownBy(() -> start(1))
                .isInstanceOf(EmbeddedException.class)
                .hasMessageContaining("made by PostgreSQL 15");
    }

    private EmbeddedCluster start(int workers) {
        PostgresBinaries binaries = PostgresBinaries.bundled(PostgresBinaries.defaultCacheFolder());
        return EmbeddedCluster.start(
                new EmbeddedCluster.Settings(folder, workers, binaries, Superuser.DEFAULT, Durability.THROWAWAY));
    }

    private static Stream<PostgresServer> servers(EmbeddedCluster cluster) {
        return Stream.concat(Stream.of(cluster.coordinator()), cluster.workers().stream());
    }

    private static List<Integer> ports(EmbeddedCluster cluster) {
        return servers(cluster).map(PostgresServer::port).toList();
    }

    private static List<String> verifiers(EmbeddedCluster cluster) throws SQLException {
        List<String> verifiers = new ArrayList<>();
        for (PostgresServer server : servers(cluster).toList()) {
            verifiers.add(query(server, "SELECT rolpassword FROM pg_authid WHERE rolname = 'tenantry'"));
        }
        return verifiers;
    }

    private static void execute(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = connect(server);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String query(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = connect(server);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }

    private static Connection connect(PostgresServer server) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + server.port() + "/tenantry?loginTimeout=20&socketTimeout=60",
                "tenantry",
                "tenantry");
    }
}
