package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.ShownRows;
import dev.tenantry.support.SuperuserLogin;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** SHOW tenantry.backends, pools, pins and transactions: which connections there are, and who has or wants them. */
class ShowConnectionsIT {

    private static final int LONG_MILLIS = 60_000;
    private static final int SHORT_MILLIS = 600;
    private static final int MANY = 300;

    private static Cluster cluster;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final MeterRegistry meters = new SimpleMeterRegistry();

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        try (RawClient client = cluster.login()) {
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("CREATE SCHEMA shown");
            client.succeed("CREATE TABLE shown.t (id int)");
            client.succeed("CREATE ROLE plain LOGIN PASSWORD 'secret'");
            client.succeed("GRANT USAGE ON SCHEMA shown TO plain");
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
    void showsTheConnectionsOfASessionAndWhatTheyAreKeptFor() throws IOException {
        ProxyServer proxy = proxy(PoolLimits.NONE);
        RawClient watcher = login(proxy, Map.of());
        RawClient client = login(proxy, Map.of());
        assertThat(backends(watcher, client))
                .singleElement()
                .satisfies(row -> assertThat(row)
                        .containsEntry("node", "coordinator")
                        .containsEntry("role", Superuser.DEFAULT.name())
                        .containsEntry("state", "idle")
                        .containsEntry("kept_for", "its session"));
        client.succeed("BEGIN");
        String pid = client.value("SELECT pg_backend_pid() FROM (VALUES (1)) v LEFT JOIN shown.t ON true");
        assertThat(onWorker(watcher, client))
                .containsEntry("pid", pid)
                .containsEntry("state", "idle in transaction")
                .containsEntry("kept_for", "transaction")
                .satisfies(row -> assertThat(Long.parseLong(row.getOrDefault("age_ms", "")))
                        .isBetween(0L, 60_000L));
        assertThat(Message.types(client.run("SELECT 1/0"))).isEqualTo("EZ");
        assertThat(onWorker(watcher, client)).containsEntry("state", "idle in transaction (aborted)");
        client.succeed("ROLLBACK");
        client.query("SELECT pg_sleep(60) FROM (VALUES (1)) v LEFT JOIN shown.t ON true")
                .flushOut();
        Eventually.passes(() -> assertThat(onWorker(watcher, client))
                .containsEntry("state", "active")
                .containsEntry("kept_for", "statement"));
        client.close();
        Eventually.passes(() -> assertThat(backends(watcher, client)).isEmpty());
    }

    @Test
    void showsConnectionsThatNoSessionHolds() throws IOException {
        ProxyServer proxy = proxy(PoolLimits.keeping(2));
        RawClient watcher = login(proxy, Map.of());
        RawClient client = login(proxy, Map.of("application_name", "keeper"));
        client.succeed("SELECT FROM shown.t");
        String pid = onWorker(watcher, client).getOrDefault("pid", "");
        client.terminate().flushOut();
        assertThat(client.readToEnd()).isEmpty();
        Eventually.passes(() -> assertThat(ShownRows.of(watcher, "SHOW tenantry.backends"))
                .filteredOn(row -> row.getOrDefault("pid", "").equals(pid)
                        && row.getOrDefault("node", "").equals("worker1"))
                .singleElement()
                .satisfies(row -> assertThat(row)
                        .containsEntry("session_id", "NULL")
                        .containsEntry("state", "idle")
                        .containsEntry("kept_for", "another session")));
        assertThat(pool(watcher, "worker1", "application_name=keeper"))
                .containsEntry("size", "1")
                .containsEntry("used", "0")
                .containsEntry("idle", "1")
                .containsEntry("waiting", "0")
                .containsEntry("longest_wait_ms", "0")
                .containsEntry("node_size_max", "NULL");
    }

    @Test
    void showsWhoWaitsForAConnection() throws IOException {
        ProxyServer proxy = proxy(sharing(1, LONG_MILLIS));
        RawClient first = login(proxy, Map.of());
        RawClient second = login(proxy, Map.of("options", "-c work_mem=9MB"));
        RawClient watcher = login(proxy, Map.of());
        first.succeed("BEGIN");
        first.succeed("SELECT FROM shown.t");
        second.query("SELECT FROM shown.t").flushOut();
        Eventually.passes(() -> assertThat(ShownRows.of(watcher, "SHOW tenantry.sessions"))
                .filteredOn(row -> row.getOrDefault("session_id", "").equals(Integer.toString(second.processId())))
                .singleElement()
                .satisfies(row -> assertThat(row).containsEntry("state", "waiting for a connection")));
        Eventually.passes(() -> assertThat(pool(watcher, "worker1", ""))
                .containsEntry("size", "1")
                .containsEntry("used", "1")
                .containsEntry("waiting", "1")
                .containsEntry("node_size_max", "1")
                .satisfies(row -> assertThat(Long.parseLong(row.getOrDefault("longest_wait_ms", "")))
                        .isPositive()));
        first.succeed("COMMIT");
        assertThat(Message.types(second.readUntilReady())).isEqualTo("TCZ");
        assertThat(onWorker(watcher, second)).containsEntry("kept_for", "its session, until another needs it");
    }

    @Test
    void showsAndCountsWhatKeepsAConnectionWithItsSession() throws IOException {
        ProxyServer proxy = proxy(sharing(1, SHORT_MILLIS));
        RawClient first = login(proxy, Map.of());
        RawClient second = login(proxy, Map.of());
        RawClient watcher = login(proxy, Map.of());
        assertThat(ShownRows.of(watcher, "SHOW tenantry.pins")).isEmpty();
        first.succeed("SET search_path TO shown");
        first.succeed("LISTEN something");
        first.succeed("SELECT pg_advisory_lock(1)");
        for (int attempt = 0; attempt < 3; attempt++) {
            assertThat(Message.only(second.run("SELECT FROM shown.t"), 'E').sqlState())
                    .isEqualTo("53300");
        }
        assertThat(ShownRows.of(watcher, "SHOW tenantry.pins"))
                .hasSize(2)
                .allSatisfy(row -> assertThat(row)
                        .containsEntry("session_id", Integer.toString(first.processId()))
                        .containsEntry("role", Superuser.DEFAULT.name())
                        .containsEntry("node", "worker1")
                        .containsEntry("pid", onWorker(watcher, first).getOrDefault("pid", "")))
                .extracting(row -> row.getOrDefault("reason", ""))
                .containsExactlyInAnyOrder("LISTEN", "advisory locks");
        assertThat(onWorker(watcher, first)).containsEntry("kept_for", "advisory locks, LISTEN");
        assertThat(ShownRows.of(watcher, "SHOW tenantry.sessions"))
                .filteredOn(row -> row.getOrDefault("session_id", "").equals(Integer.toString(first.processId())))
                .singleElement()
                .satisfies(row -> assertThat(row).containsEntry("pin_reasons", "advisory locks, LISTEN"));
        assertThat(pins("LISTEN")).isEqualTo(1);
        assertThat(pins("advisory locks")).isEqualTo(1);
        assertThat(pins("settings")).isZero();
        first.succeed("UNLISTEN *");
        first.succeed("SELECT pg_advisory_unlock(1)");
        Eventually.passes(() -> second.succeed("SELECT FROM shown.t"));
        assertThat(ShownRows.of(watcher, "SHOW tenantry.pins")).isEmpty();
    }

    @Test
    void showsOpenTransactionsWithTheirNodes() throws IOException {
        ProxyServer proxy = proxy(PoolLimits.NONE);
        RawClient watcher = login(proxy, Map.of());
        RawClient client = login(proxy, Map.of());
        assertThat(ShownRows.of(watcher, "SHOW tenantry.transactions")).isEmpty();
        client.succeed("BEGIN");
        assertThat(transaction(watcher, client))
                .containsEntry("nodes", "NULL")
                .containsEntry("distributed", "f")
                .containsEntry("state", "idle in transaction");
        client.succeed("SELECT FROM shown.t");
        assertThat(transaction(watcher, client))
                .containsEntry("nodes", "worker1")
                .containsEntry("distributed", "f");
        client.succeed("CREATE SCHEMA passing");
        assertThat(transaction(watcher, client))
                .containsEntry("distributed", "t")
                .satisfies(row ->
                        assertThat(row.getOrDefault("nodes", "").split(", ")).containsExactly("worker1", "coordinator"))
                .satisfies(row -> assertThat(Long.parseLong(row.getOrDefault("age_ms", "")))
                        .isBetween(0L, 60_000L));
        client.succeed("ROLLBACK");
        assertThat(ShownRows.of(watcher, "SHOW tenantry.transactions")).isEmpty();
    }

    @Test
    void showsPlainRolesTheirOwnOnly() throws IOException {
        ProxyServer proxy = proxy(sharing(2, LONG_MILLIS));
        RawClient superuser = login(proxy, Map.of());
        superuser.succeed("BEGIN");
        RawClient plain = RawClient.login(
                proxy.address().getHostString(),
                proxy.address().getPort(),
                "plain",
                "secret",
                Superuser.DEFAULT.database());
        opened.add(plain);
        plain.succeed("BEGIN");
        for (String what : List.of("sessions", "backends", "pools", "transactions")) {
            assertThat(ShownRows.of(plain, "SHOW tenantry." + what))
                    .as(what)
                    .isNotEmpty()
                    .allSatisfy(row -> assertThat(row).containsEntry("role", "plain"));
            assertThat(ShownRows.of(superuser, "SHOW tenantry." + what))
                    .as(what)
                    .extracting(row -> row.getOrDefault("role", ""))
                    .contains("plain", Superuser.DEFAULT.name());
        }
    }

    @Test
    void showsMoreSessionsThanALoopLooksAtAtATime() throws IOException {
        ProxyServer proxy = proxy(sharing(2, LONG_MILLIS));
        for (int i = 0; i < MANY; i++) {
            login(proxy, Map.of());
        }
        RawClient watcher = login(proxy, Map.of());
        assertThat(ShownRows.of(watcher, "SHOW tenantry.sessions"))
                .extracting(row -> row.get("session_id"))
                .hasSize(MANY + 1)
                .doesNotHaveDuplicates();
        assertThat(ShownRows.of(watcher, "SHOW tenantry.backends")).hasSize(2);
    }

    // --- helpers ----------------------------------------------------------------------------------------------------

    private static PoolLimits sharing(int size, int waitMillis) {
        return PoolLimits.keeping(size).sharing(new PoolLimits.Sharing(size, waitMillis, 100));
    }

    private ProxyServer proxy(PoolLimits limits) throws IOException {
        ProxyServer proxy = ProxyServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                cluster.tenantry().catalog(),
                new TlsContexts(TlsSettings.NONE),
                ProxyLimits.forCores(1).withPool(limits),
                new ProxyMetrics(meters),
                DistributedEnd.Observer.NONE);
        opened.add(proxy);
        return proxy;
    }

    private RawClient login(ProxyServer proxy, Map<String, String> parameters) {
        RawClient client = SuperuserLogin.at(
                proxy.address().getHostString(), proxy.address().getPort(), parameters);
        opened.add(client);
        return client;
    }

    private static List<Map<String, String>> backends(RawClient watcher, RawClient of) {
        return ShownRows.of(watcher, "SHOW tenantry.backends").stream()
                .filter(row -> Integer.toString(of.processId()).equals(row.getOrDefault("session_id", "")))
                .toList();
    }

    private static Map<String, String> onWorker(RawClient watcher, RawClient of) {
        return backends(watcher, of).stream()
                .filter(row -> "worker1".equals(row.getOrDefault("node", "")))
                .findFirst()
                .orElseThrow();
    }

    private static Map<String, String> pool(RawClient watcher, String node, String parameters) {
        return ShownRows.of(watcher, "SHOW tenantry.pools").stream()
                .filter(row -> node.equals(row.getOrDefault("node", ""))
                        && parameters.equals(row.getOrDefault("parameters", "")))
                .findFirst()
                .orElseThrow();
    }

    private static Map<String, String> transaction(RawClient watcher, RawClient of) {
        return ShownRows.of(watcher, "SHOW tenantry.transactions").stream()
                .filter(row -> Integer.toString(of.processId()).equals(row.getOrDefault("session_id", "")))
                .findFirst()
                .orElseThrow();
    }

    private double pins(String reason) {
        return meters.get("tenantry.pins").tag("reason", reason).counter().count();
    }
}
