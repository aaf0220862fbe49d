package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A proxy of the shared cluster with two connections to each node, and sessions that take turns on them all the time,
 * each going from a schema of one worker to one of the other with a statement of a name that pgjdbc gives its own.
 */
final class Crowd implements AutoCloseable {
    private static final int CONNECTIONS = 2;
    private static final int SESSIONS = 4;
    private static final long PAUSE_NANOS = 1_000_000;
    private static final List<String> SCHEMAS = List.of("crowd_one", "crowd_two");

    private final ProxyServer proxy;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<CompletableFuture<Void>> sessions = new ArrayList<>();
    private final AtomicInteger turns = new AtomicInteger();
    private volatile boolean ends;

    private Crowd(ProxyServer proxy) {
        this.proxy = proxy;
    }

    /** Sessions that go on until it is closed. */
    static Crowd start() throws IOException {
        makeSchemas();
        PoolLimits limits = PoolLimits.keeping(CONNECTIONS).sharing(new PoolLimits.Sharing(CONNECTIONS, 60_000, 1_000));
        ProxyServer proxy =
                Cluster.shared().anotherProxy(ProxyLimits.forCores(1).withPool(limits), point -> {});
        Crowd crowd = new Crowd(proxy);
        for (int i = 0; i < SESSIONS; i++) {
            crowd.sessions.add(CompletableFuture.runAsync(crowd::takeTurns, crowd.threads));
        }
        return crowd;
    }

    private static void makeSchemas() {
        try (RawClient client = Cluster.shared().login()) {
            for (int i = 0; i < SCHEMAS.size(); i++) {
                String schema = SCHEMAS.get(i);
                client.run("SET tenantry.node = 'worker" + (i + 1) + "'");
                client.run("CREATE SCHEMA " + schema);
                client.run("CREATE TABLE " + schema + ".t AS SELECT '" + schema + "' AS owner");
            }
        }
    }

    private void takeTurns() {
        try (RawClient client = SuperuserLogin.at("127.0.0.1", port(), Map.of())) {
            client.parse("S_1", "SELECT owner FROM " + SCHEMAS.getFirst() + ".t")
                    .sync()
                    .flushOut();
            client.readUntilReady();
            while (!ends) {
                for (String schema : SCHEMAS) {
                    assertThat(client.run("SET search_path TO " + schema)).noneMatch(message -> message.type() == 'E');
                    assertThat(client.value("SELECT owner FROM t")).isEqualTo(schema);
                    client.bind("", "S_1").execute("", 0).sync().flushOut();
                    assertThat(Message.only(client.readUntilReady(), 'D').columns())
                            .containsExactly(SCHEMAS.getFirst());
                    turns.incrementAndGet();
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        }
    }

    /** Where the proxy listens on the loopback interface. */
    int port() {
        return proxy.address().getPort();
    }

    /** The proxy's address as clients other than Java's write it. */
    String url() {
        Superuser superuser = Superuser.DEFAULT;
        return "postgresql://" + superuser.name() + ":" + superuser.password() + "@127.0.0.1:" + port() + "/"
                + superuser.database();
    }

    /** The proxy's address for pgjdbc. */
    String jdbcUrl() {
        return Cluster.shared().jdbcUrl().replace(":" + Cluster.shared().port() + "/", ":" + port() + "/");
    }

    @Override
    public void close() {
        ends = true;
        sessions.forEach(CompletableFuture::join);
        threads.close();
        proxy.close();
        assertThat(turns.get()).isPositive();
        try (RawClient client = Cluster.shared().login()) {
            client.run("DROP SCHEMA " + String.join(", ", SCHEMAS) + " CASCADE");
        }
    }
}
