package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The connections to a node that the event loops of a proxy have together. Clients are on one loop after the other. */
class PoolBudgetIT {

    private static final String ROLE = "pool_budget";
    private static Cluster cluster;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            client.succeed("CREATE ROLE " + ROLE + " LOGIN PASSWORD '" + ROLE + "'");
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA " + ROLE + " AUTHORIZATION " + ROLE);
            client.succeed("CREATE TABLE " + ROLE + ".t (id int)");
            client.succeed("GRANT ALL ON " + ROLE + ".t TO " + ROLE);
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    @Test
    void oneConnectionServesTwoLoopsInTurn() throws Exception {
        ProxyServer proxy = proxy(2, 1);
        RawClient first = login(proxy);
        RawClient second = login(proxy);
        try (Sampler sampler = new Sampler()) {
            for (int round = 0; round < 10; round++) {
                first.succeed("BEGIN");
                first.succeed("INSERT INTO t VALUES (" + round + ")");
                second.query("SELECT max(id) FROM t").flushOut();
                first.succeed("COMMIT");
                assertThat(Message.only(second.readUntilReady(), 'D').text()).contains(String.valueOf(round));
                assertThat(first.value("SELECT max(id) FROM t")).isEqualTo(String.valueOf(round));
            }
            assertThat(sampler.most()).isEqualTo(1);
        }
    }

    @Test
    void neverExceedsWhatAllLoopsMayHave() throws Exception {
        ProxyServer proxy = proxy(4, 2);
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.add(login(proxy));
        }
        try (Sampler sampler = new Sampler();
                ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (RawClient client : clients) {
                all.add(each.submit(() -> {
                    for (int i = 0; i < 20; i++) {
                        client.succeed("BEGIN");
                        client.succeed("SELECT count(*), pg_sleep(0.001) FROM t");
                        client.succeed("COMMIT");
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
            assertThat(sampler.most()).isBetween(1, 2);
        }
    }

    @Test
    void aLoopMayHaveWhatOthersDoNotUse() throws Exception {
        ProxyServer proxy = proxy(2, 2);
        RawClient first = login(proxy);
        RawClient other = login(proxy);
        RawClient second = login(proxy); // on the loop of the first
        other.succeed("SELECT FROM t");
        first.succeed("BEGIN");
        first.succeed("SELECT FROM t");
        try (Sampler sampler = new Sampler()) {
            second.succeed("SELECT FROM t"); // for which the other's connection was ended
            first.succeed("COMMIT");
            other.succeed("SELECT FROM t");
            assertThat(sampler.most()).isLessThanOrEqualTo(2);
        }
    }

    private ProxyServer proxy(int loops, int size) throws IOException {
        PoolLimits limits = PoolLimits.keeping(size).sharing(new PoolLimits.Sharing(size, 60_000, 100));
        ProxyServer proxy = cluster.anotherProxy(ProxyLimits.forCores(loops).withPool(limits), point -> {});
        opened.add(proxy);
        return proxy;
    }

    private RawClient login(ProxyServer proxy) {
        RawClient client = RawClient.connect("127.0.0.1", proxy.address().getPort())
                .signIn(
                        RawClient.PROTOCOL_3_0,
                        ROLE,
                        Map.of("user", ROLE, "database", "tenantry", "options", "-c search_path=" + ROLE));
        opened.add(client);
        return client;
    }

    /** Looks all the time how many of the role's connections the worker has. */
    private static final class Sampler implements AutoCloseable {
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final CompletableFuture<Integer> most =
                CompletableFuture.supplyAsync(this::look, Thread::startVirtualThread);

        private int look() {
            int most = 0;
            try (Connection connection = cluster.worker(1).connect();
                    PreparedStatement count =
                            connection.prepareStatement("SELECT count(*) FROM pg_stat_activity WHERE usename = ?")) {
                count.setString(1, ROLE);
                while (!stopped.get()) {
                    try (ResultSet row = count.executeQuery()) {
                        row.next();
                        most = Math.max(most, row.getInt(1));
                    }
                }
                return most;
            } catch (SQLException problem) {
                throw new IllegalStateException(problem);
            }
        }

        int most() {
            stopped.set(true);
            return most.join();
        }

        @Override
        public void close() {
            most();
        }
    }
}
