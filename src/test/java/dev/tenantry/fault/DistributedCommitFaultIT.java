package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * CREATE SCHEMA, with something killed at each point of its commit: in the end owner, coordinator and catalog agree,
 * and nothing is left prepared.
 */
class DistributedCommitFaultIT {
    private static Cluster cluster;

    /** What dies. */
    enum Victim {
        PROXY,
        WORKER,
        COORDINATOR
    }

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    static Stream<Arguments> everyPointAndVictim() {
        return Stream.of(Point.values())
                .flatMap(point -> Stream.of(Victim.values()).map(victim -> Arguments.of(point, victim)));
    }

    @ParameterizedTest
    @MethodSource("everyPointAndVictim")
    void endsWithBothOrNone(Point point, Victim victim) throws Exception {
        String schema = "fault_" + point.name().toLowerCase(java.util.Locale.ROOT) + "_"
                + victim.name().toLowerCase(java.util.Locale.ROOT);
        AtomicReference<@Nullable ProxyServer> proxy = new AtomicReference<>();
        DistributedEnd.Observer killer = reached -> {
            if (reached == point) {
                kill(victim, proxy);
            }
        };
        boolean confirmed;
        try (ProxyServer server = cluster.anotherProxy(killer)) {
            proxy.set(server);
            confirmed = create(server, schema);
        }
        revive(victim);
        Eventually.passes(() -> {
            boolean owned = exists(cluster.worker(1), schema);
            assertThat(prepared()).isEmpty();
            assertThat(exists(cluster.coordinator(), schema)).isEqualTo(owned);
            assertThat(cluster.tenantry().catalog().refresh().schema(schema) != null)
                    .isEqualTo(owned);
            if (confirmed) {
                assertThat(owned).as("what was confirmed is there").isTrue();
            }
        });
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            statement.execute("DROP SCHEMA IF EXISTS " + schema);
            statement.execute("CREATE SCHEMA " + schema);
        }
    }

    private static boolean create(ProxyServer server, String schema) {
        String url = "jdbc:postgresql://127.0.0.1:" + server.address().getPort()
                + "/tenantry?user=tenantry&password=tenantry&socketTimeout=20";
        try (Connection client = DriverManager.getConnection(url);
                Statement statement = client.createStatement()) {
            statement.execute("CREATE SCHEMA " + schema);
            return true;
        } catch (SQLException failed) {
            assertThat(failed.getSQLState()).isNotNull();
            return false;
        }
    }

    private static void kill(Victim victim, AtomicReference<@Nullable ProxyServer> proxy) {
        switch (victim) {
            case PROXY -> {
                ProxyServer server = proxy.get();
                if (server != null) {
                    server.close();
                }
            }
            case WORKER -> cluster.worker(1).kill();
            case COORDINATOR -> cluster.coordinator().kill();
        }
    }

    private static void revive(Victim victim) {
        switch (victim) {
            case PROXY -> {
                // the one under test is closed already
            }
            case WORKER -> cluster.worker(1).restart();
            case COORDINATOR -> cluster.coordinator().restart();
        }
    }

    private static boolean exists(PostgresNode node, String schema) throws SQLException {
        return !node.list("SELECT 1 FROM pg_namespace WHERE nspname = '" + schema + "'")
                .isEmpty();
    }

    private static List<String> prepared() throws SQLException {
        List<String> gids = new ArrayList<>();
        for (PostgresNode node : cluster.nodes()) {
            gids.addAll(node.list("SELECT gid FROM pg_prepared_xacts"));
        }
        return gids;
    }
}
