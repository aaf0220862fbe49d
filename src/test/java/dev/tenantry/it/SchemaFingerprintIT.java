package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.node.copy.MoveNames;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** By what a move knows that a schema has changed, on servers of any age. */
class SchemaFingerprintIT {

    private static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");
    private static final Path RESETWAL = BIN.resolve("pg_resetwal");

    // More than 31 bits; the file is that of the 1,048,576 transactions around it.
    private static final String XID = "3000000000";
    private static final String OLDEST_XID = "2999999000";
    private static final String XID_SEGMENT = "0B2D";
    private static final int SEGMENT_BYTES = 262_144;

    private static final Vertx VERTX = Vertx.vertx();
    private final PostgresNode node = start();

    private static PostgresNode start() {
        return Files.isExecutable(RESETWAL) ? PostgresNode.start("aged", BIN) : PostgresNode.start("young");
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @AfterAll
    static void close() {
        VERTX.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void tellsWhatChangesTheDefinitionAndWhatMakesTablesOthers() throws Exception {
        age();
        node.list("CREATE SCHEMA s; CREATE TABLE s.t (a int PRIMARY KEY, b text); CREATE TABLE s.u (a int, b text);"
                + " CREATE SEQUENCE s.q; CREATE MATERIALIZED VIEW s.m AS SELECT a FROM s.t; CLUSTER s.t USING t_pkey");
        assertKept("TRUNCATE s.t, s.u RESTART IDENTITY");
        assertKept("REFRESH MATERIALIZED VIEW s.m");
        assertKept("CLUSTER s.t");
        assertKept("VACUUM FULL s.u");
        assertKept("SELECT nextval('s.q')");
        assertChanged("COMMENT ON COLUMN s.t.b IS 'said'");
        assertChanged("GRANT SELECT ON s.t TO PUBLIC");
        assertChanged("ALTER TABLE s.t SET (fillfactor = 50)");
        assertChanged("CREATE PUBLICATION p FOR TABLE s.t");
        assertOthers("ALTER TABLE s.t ALTER b TYPE text USING b || 'x'");
        assertOthers("DROP TABLE s.u; CREATE TABLE s.u (a int, b text)");
        assertOthers("ALTER TABLE s.t RENAME TO v; ALTER TABLE s.u RENAME TO t; ALTER TABLE s.v RENAME TO u");
    }

    /** As if it had served for years. */
    private void age() throws IOException, InterruptedException, SQLException {
        if (!node.name().equals("aged")) {
            return;
        }
        for (String database : List.of("tenantry", "postgres", "template1")) {
            try (Connection connection = DriverManager.getConnection(node.jdbcUrl(database));
                    Statement statement = connection.createStatement()) {
                statement.execute("VACUUM FREEZE");
                statement.execute("CHECKPOINT");
            }
        }
        Path data = Path.of(node.list("SHOW data_directory").getFirst());
        node.kill();
        UserPrincipal owner = Files.getOwner(data);
        List<String> reset = new ArrayList<>(as(owner.getName()));
        reset.addAll(List.of(RESETWAL.toString(), "-f", "-x", XID, "-u", OLDEST_XID, data.toString()));
        Process resetting = new ProcessBuilder(reset).inheritIO().start();
        assertThat(resetting.waitFor()).isZero();
        Path segment = data.resolve("pg_xact").resolve(XID_SEGMENT);
        Files.write(segment, new byte[SEGMENT_BYTES]);
        Files.setOwner(segment, owner);
        node.restart();
    }

    /** What may touch the files, as root may not. */
    private static List<String> as(String owner) {
        if (!System.getProperty("user.name").equals("root")) {
            return List.of();
        }
        return owner.equals("root")
                ? List.of("unshare", "-U")
                : List.of("setpriv", "--reuid=" + owner, "--clear-groups");
    }

    private void assertKept(String sql) throws SQLException {
        State before = state();
        node.list(sql);
        assertThat(state()).as(sql).isEqualTo(before);
    }

    private void assertChanged(String sql) throws SQLException {
        State before = state();
        node.list(sql);
        assertThat(state().definition()).as(sql).isNotEqualTo(before.definition());
        assertThat(state().tables()).as(sql).isEqualTo(before.tables());
    }

    private void assertOthers(String sql) throws SQLException {
        State before = state();
        node.list(sql);
        assertThat(state().tables()).as(sql).isNotEqualTo(before.tables());
    }

    private record State(String definition, String tables) {}

    private State state() {
        CoordinatorAddress address = CoordinatorAddress.parse(node.url());
        try (ServerConnection connection = ServerConnection.open(VERTX, address, Duration.ofSeconds(20))) {
            Source source = new Source(connection, new MoveNames("fingerprints", 1));
            return new State(source.fingerprint("s"), source.tables("s"));
        }
    }
}
