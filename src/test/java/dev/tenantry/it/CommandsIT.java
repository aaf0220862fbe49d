package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.command.Commands;
import dev.tenantry.command.Screen;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.TestCertificate;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./tenantry move}, {@code rebalance} and {@code status}, of a cluster that nobody reaches without TLS. */
class CommandsIT {

    private static Cluster cluster;
    private static Path certificateFile;

    @BeforeAll
    static void start(@TempDir Path folder) throws SQLException {
        TestCertificate certificate = TestCertificate.create();
        certificateFile = certificate.writeCertificate(folder);
        cluster = Cluster.start(
                2,
                new TlsSettings(
                        TlsSettings.ClientMode.REQUIRE,
                        Optional.of(certificateFile),
                        Optional.of(certificate.writeKey(folder)),
                        TlsSettings.NodeMode.DISABLE,
                        Optional.empty()));
        run("CREATE ROLE mover LOGIN PASSWORD 'moves'");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void run(String... statements) throws SQLException {
        try (Connection connection = cluster.connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static final class Said {
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder errors = new StringBuilder();
        private int code = -1;

        List<String> lines() {
            return text.toString().lines().toList();
        }
    }

    private static Said command(boolean terminal, String url, String... words) throws InterruptedException {
        Said said = new Said();
        Screen screen =
                new Screen(said.text::append, line -> said.errors.append(line).append('\n'), terminal);
        said.code = Commands.run(List.of(words), Map.of("TENANTRY_URL", url), screen);
        return said;
    }

    private static Said command(String... words) throws InterruptedException {
        return command(false, cluster.url(), words);
    }

    @Test
    void movesASchemaAndSaysHowItWent() throws Exception {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA \"Command's\"", "CREATE TABLE \"Command's\".t (a int)");
        Said there = command("move", "Command's", "worker2");
        assertThat(there.errors).isEmpty();
        assertThat(there.code).isZero();
        assertThat(there.lines().getFirst()).matches("move \\d+ of schema Command's: \\w+.*");
        assertThat(there.lines()).doesNotHaveDuplicates();
        assertThat(there.lines().getLast())
                .matches("schema Command's is on worker2: [0-9.]+ s, clients waited for \\d+ ms");
        Said back = command(
                true,
                cluster.url(),
                "move",
                "Command's",
                cluster.worker(1).host() + ":" + cluster.worker(1).port());
        assertThat(back.code).isZero();
        assertThat(back.text.toString()).startsWith("\r\u001b[KCommand's [").contains("is on worker1");
    }

    @Test
    void saysWhyASchemaIsNotMoved() throws Exception {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA command_refused");
        Said unknown = command("move", "command_refused", "worker9");
        assertThat(unknown.code).isEqualTo(1);
        assertThat(unknown.errors)
                .hasToString(
                        "tenantry move: node \"worker9\" does not exist; there are coordinator, worker1, worker2\n");
        assertThat(command("move", "command_refused", "worker1").errors.toString())
                .contains("cannot move shard to the same node: Schema command_refused is on node \"worker1\" already.");
        String mover = cluster.url().replaceFirst("//[^@]*@", "//mover:moves@");
        assertThat(command(false, mover, "move", "command_refused", "worker2")
                        .errors
                        .toString())
                .contains("must be owner of schema command_refused");
        String wrong = cluster.url().replaceFirst("//[^@]*@", "//mover:wrong@");
        Said stranger = command(false, wrong, "status");
        assertThat(stranger.code).isEqualTo(1);
        assertThat(stranger.errors.toString()).contains("password authentication failed");
    }

    @Test
    void detachesShowsAndCancels() throws Exception {
        run("SET tenantry.node = 'worker1'", "CREATE SCHEMA command_held", "CREATE TABLE command_held.t (a int)");
        try (Connection writer = cluster.connect();
                Statement writing = writer.createStatement()) {
            writer.setAutoCommit(false);
            writing.execute("INSERT INTO command_held.t VALUES (1)");
            Said started = command("move", "command_held", "worker2", "--detach");
            assertThat(started.text.toString()).matches("move \\d+ is under way\n");
            String id = started.text.toString().replaceAll("\\D", "");
            Eventually.passes(() -> assertThat(command("status").text.toString())
                    .containsPattern(id
                            + " +command_held +worker1 +worker2 +0 %  creating, waits for sessions \\d+ of worker1"));
            Said cancelled = command("move", "--cancel", id);
            assertThat(cancelled.lines().getLast()).isEqualTo("move " + id + " of schema command_held is undone");
            Said late = command("move", "--cancel", id);
            assertThat(late.code).isEqualTo(1);
            assertThat(late.errors.toString()).contains("can't be undone");
        }
        assertThat(command("status").text.toString()).doesNotContain("command_held");
    }

    @Test
    void encryptsAsTheAddressSays(@TempDir Path folder) throws Exception {
        for (String parameters : List.of(
                "sslmode=prefer",
                "sslmode=require",
                "sslmode=require&sslrootcert=" + certificateFile,
                "sslmode=verify-ca&sslrootcert=" + certificateFile,
                "sslmode=verify-full&sslrootcert=" + certificateFile)) {
            Said done = command(false, cluster.url() + "?" + parameters, "status");
            assertThat(done.errors).as(parameters).isEmpty();
            assertThat(done.code).as(parameters).isZero();
        }
        Path stranger = TestCertificate.create().writeCertificate(folder);
        Map<String, String> refused = Map.of(
                cluster.url() + "?sslmode=disable", "encrypted connections only",
                cluster.url() + "?sslmode=verify-ca&sslrootcert=" + stranger, "is not trusted",
                cluster.url() + "?sslmode=require&sslrootcert=" + stranger, "is not trusted",
                cluster.url() + "?sslmode=verify-full&sslrootcert=" + folder.resolve("none"), "could not read file",
                cluster.coordinator().url() + "?sslmode=require", "has no TLS, which sslmode asks for");
        refused.forEach((url, sentence) -> {
            Said failed = failing(url);
            assertThat(failed.errors.toString()).startsWith("tenantry status: ").contains(sentence);
            assertThat(failed.code).isEqualTo(Commands.EXIT_FAILED);
        });
        assertThat(failing(cluster.url() + "?sslmode=verify-full").code).isEqualTo(Commands.EXIT_USAGE);
    }

    private static Said failing(String url) {
        try {
            return command(false, url, "status");
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stopped);
        }
    }

    @Test
    void showsNodesAndSchemas() throws Exception {
        run(
                "SET tenantry.node = 'worker2'",
                "CREATE SCHEMA command_shown",
                "CREATE TABLE command_shown.t AS SELECT 1 AS a");
        List<String> lines = command("status", "--schemas").lines();
        assertThat(lines.getFirst()).matches("node +address +role +state +schemas +size");
        assertThat(lines.get(1)).matches("coordinator +127.0.0.1:\\d+ +coordinator +takes no schemas +0 +0 bytes");
        assertThat(lines.get(3)).matches("worker2 +127.0.0.1:\\d+ +worker +active +[1-9]\\d* +[1-9]\\d* .*");
        assertThat(lines).anyMatch(line -> line.matches("command_shown +worker2 +8192 bytes +tenantry"));
    }

    @Test
    void rebalancesAndShowsWhatItWould() throws Exception {
        List<String> schemas = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            schemas.add("CREATE SCHEMA command_many_" + i);
            schemas.add("CREATE TABLE command_many_" + i + ".t (a int PRIMARY KEY)");
        }
        schemas.addFirst("SET tenantry.node = 'worker1'");
        run(schemas.toArray(new String[0]));
        Said plan = command("rebalance", "--dry-run", "--strategy", "by_shard_count");
        assertThat(plan.errors).isEmpty();
        assertThat(plan.lines().getFirst()).matches("schema +from +to +size");
        assertThat(plan.lines()).anyMatch(line -> line.matches("command_many_\\d +worker1 +worker2 +.*"));
        assertThat(plan.lines()).anyMatch(line -> line.matches("node +schemas +then +size +then"));
        Said done = command("rebalance", "--strategy", "by_shard_count");
        assertThat(done.code).as(done.errors.toString()).isZero();
        assertThat(done.lines().getLast()).matches("rebalance \\d+ finished: (\\d+) of \\1 moves done");
        Said again = command("rebalance", "--strategy", "by_shard_count");
        assertThat(again.text).hasToString("nothing is to be moved\n");
        assertThat(command("rebalance", "--strategy", "by_colour").errors.toString())
                .contains("by_colour");
        assertThat(command("rebalance", "--stop").code).isEqualTo(1);
    }
}
