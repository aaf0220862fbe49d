package dev.tenantry.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.LeakyPooler;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.SuperuserLogin;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The check finds nothing in front of Tenantry and of PostgreSQL itself, and finds a pooler that mixes sessions up. */
class IsolationCheckIT {
    private static final int CLIENTS = 8;
    private static final int SCHEMAS = 6;

    /** For each node, so fewer than clients. */
    private static final int POOL_SIZE = 4;

    private static final int LONG_MILLIS = 30_000;

    private static Cluster cluster;
    private static PostgresNode plain;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        plain = PostgresNode.start("plain");
    }

    @AfterAll
    static void stop() {
        cluster.close();
        plain.close();
    }

    @ParameterizedTest
    @CsvSource({"1, false", "2, true"})
    void findsNothingWhereSessionsShareConnections(long seed, boolean kills) throws Exception {
        PoolLimits.Sharing sharing = new PoolLimits.Sharing(POOL_SIZE, LONG_MILLIS, 100);
        ProxyLimits limits =
                ProxyLimits.forCores(1).withPool(PoolLimits.keeping(POOL_SIZE).sharing(sharing));
        try (ProxyServer proxy = cluster.anotherProxy(limits, point -> {})) {
            assertThat(check(proxy.address().getPort(), seed, 6, kills).run()).startsWith("no difference");
        }
    }

    @ParameterizedTest
    @CsvSource({"3, false", "4, true"})
    void findsNothingWhereEachSessionHasItsOwn(long seed, boolean kills) throws Exception {
        assertThat(check(cluster.port(), seed, 4, kills).run()).startsWith("no difference");
    }

    @ParameterizedTest
    @CsvSource({"5, false", "6, true"})
    void takesPostgresForPostgres(long seed, boolean kills) throws Exception {
        assertThat(check(plain.port(), seed, 3, kills).run()).startsWith("no difference");
    }

    @Test
    void findsWhatALeakyPoolerMixesUp() {
        try (LeakyPooler pooler = LeakyPooler.before(SuperuserLogin.at(plain.host(), plain.port(), Map.of()))) {
            assertThatThrownBy(() -> check(pooler.port(), 7, 20, false).run())
                    .isInstanceOf(CheckFailedException.class)
                    .hasMessageContaining("seed=7")
                    .hasMessageContaining("what it said (>) and heard (<):");
        }
    }

    @Test
    void saysThatItCanNotReachTheCluster() throws InterruptedException {
        StringBuilder said = new StringBuilder();
        int code = Checks.run(List.of("check-isolation", "--url", "postgresql://a:b@127.0.0.1:1/c"), said::append);
        assertThat(code).isEqualTo(Checks.EXIT_FAILED);
        assertThat(said).contains("FAILED");
    }

    private static IsolationCheck check(int port, long seed, int seconds, boolean kills) throws IOException {
        Superuser superuser = Superuser.DEFAULT;
        ServerAddress server =
                new ServerAddress("127.0.0.1", port, superuser.database(), superuser.name(), superuser.password());
        return new IsolationCheck(
                server, CLIENTS, SCHEMAS, seed, Duration.ofSeconds(seconds), new IsolationCheck.Trouble(kills, false));
    }
}
