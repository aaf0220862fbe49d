package dev.tenantry.support;

import dev.tenantry.Servers;
import dev.tenantry.Tenantry;
import dev.tenantry.Wiring;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster: a coordinator and workers as real servers, and control plane and proxy in this JVM. Either
 * {@link #shared()}, started once per run, in which every test makes schemas with names of its own; or
 * {@link #start(int)}, for tests that kill or change what others would notice.
 */
public final class Cluster implements AutoCloseable {

    private static final int SHARED_WORKERS = 2;
    private static final Duration STOP_GRACE = Duration.ofSeconds(2);
    private static final Duration COORDINATOR_WAIT = Duration.ofSeconds(30);
    private static @Nullable Cluster sharedCluster;

    private final List<PostgresNode> nodes = new ArrayList<>();
    private final Vertx vertx = Vertx.vertx();
    private MeterRegistry meters = new SimpleMeterRegistry();
    private final TlsSettings tls;
    private final ControlLimits control;
    private volatile MovePoint.Observer moves = MovePoint.Observer.NONE;
    private @Nullable Tenantry tenantry;

    private Cluster(TlsSettings tls, ControlLimits control) {
        this.tls = tls;
        this.control = control;
    }

    /** The cluster all gentle tests share: a coordinator and two workers; never close it. */
    public static synchronized Cluster shared() {
        Cluster cluster = sharedCluster;
        if (cluster == null) {
            Cluster started = start(SHARED_WORKERS);
            Runtime.getRuntime().addShutdownHook(new Thread(started::closeProxy, "stop-shared-cluster"));
            sharedCluster = started;
            cluster = started;
        }
        return cluster;
    }

    /** A cluster of this test's own; close it. */
    public static Cluster start(int workers) {
        return start(workers, TlsSettings.NONE);
    }

    /** A cluster of this test's own whose proxy uses TLS like this; close it. */
    public static Cluster start(int workers, TlsSettings tls) {
        return start(workers, tls, ControlLimits.DEFAULT);
    }

    /** The same whose control plane has these limits; close it. */
    public static Cluster start(int workers, TlsSettings tls, ControlLimits control) {
        Cluster cluster = new Cluster(tls, control);
        cluster.nodes.addAll(IntStream.rangeClosed(0, workers)
                .parallel()
                .mapToObj(i -> PostgresNode.start(i == 0 ? "coordinator" : "worker" + i))
                .toList());
        boolean complete = false;
        try {
            cluster.startProxy();
            complete = true;
        } finally {
            if (!complete) {
                cluster.close();
            }
        }
        return cluster;
    }

    /** Who is told of each step of a move from now on. */
    public void observeMoves(MovePoint.Observer observer) {
        moves = observer;
    }

    /** Starts control plane and proxy, which must not run; as after the death of the process they were in. */
    public void startProxy() {
        meters = new SimpleMeterRegistry();
        try {
            tenantry = Tenantry.start(servers(), wiring(ProxyLimits.forCores(2), meters));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private Servers servers() {
        return new Servers.Existing(
                coordinator().url(),
                workers().stream().map(node -> node.host() + ":" + node.port()).toList());
    }

    private Wiring wiring(ProxyLimits limits, MeterRegistry registry) {
        return new Wiring(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                COORDINATOR_WAIT,
                STOP_GRACE,
                limits,
                control,
                tls,
                vertx,
                registry,
                point -> moves.reached(point),
                DistributedEnd.Observer.NONE);
    }

    /** Stops control plane and proxy, gracefully; the servers go on. */
    public void closeProxy() {
        if (tenantry != null) {
            tenantry.close();
            tenantry = null;
        }
    }

    /** The server that holds the catalog. */
    public PostgresNode coordinator() {
        return nodes.getFirst();
    }

    /** The other servers. */
    public List<PostgresNode> workers() {
        return nodes.subList(1, nodes.size());
    }

    /** The first worker is 1. */
    public PostgresNode worker(int number) {
        return nodes.get(number);
    }

    /** All servers, the coordinator first. */
    public List<PostgresNode> nodes() {
        return List.copyOf(nodes);
    }

    /** The planes under test. */
    public Tenantry tenantry() {
        if (tenantry == null) {
            throw new IllegalStateException("the proxy does not run");
        }
        return tenantry;
    }

    /** What the proxy that runs now counts. */
    public MeterRegistry meters() {
        return meters;
    }

    /** Where the proxy listens: loopback. */
    public String host() {
        return "127.0.0.1";
    }

    /** Where the proxy listens. */
    public int port() {
        return tenantry().address().getPort();
    }

    /** The proxy's address as clients other than Java's write it, superuser and password included. */
    public String url() {
        Superuser superuser = Superuser.DEFAULT;
        return "postgresql://" + superuser.name() + ":" + superuser.password() + "@" + host() + ":" + port() + "/"
                + superuser.database();
    }

    /** A JDBC URL through the proxy, role and password included; add parameters with {@code &name=value}. */
    public String jdbcUrl() {
        return "jdbc:postgresql://" + host() + ":" + port() + "/" + Superuser.DEFAULT.database() + "?user="
                + Superuser.DEFAULT.name() + "&password=" + Superuser.DEFAULT.password()
                + "&loginTimeout=20&socketTimeout=120";
    }

    /** A connection through the proxy as the superuser. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(jdbcUrl());
    }

    /** The first column of what a statement returns through the proxy, to the superuser. */
    public List<String> list(String sql) throws SQLException {
        return FirstColumn.of(connect(), sql);
    }

    /** A connection straight to the server that holds a schema, with its search_path set to it. */
    public Connection connectToNodeOf(String schema) throws SQLException {
        DistributedSchema distributed = tenantry().catalog().refresh().schema(schema);
        if (distributed == null) {
            throw new IllegalArgumentException("no distributed schema " + schema);
        }
        int port = distributed.node().port();
        PostgresNode node =
                nodes.stream().filter(it -> it.port() == port).findFirst().orElseThrow();
        Connection connection = node.connect();
        connection.setSchema(schema);
        return connection;
    }

    /** Makes schemas w1, w2 ..., each on the worker of that number and with a table {@code t (x int)}. */
    public void createSchemaOfEachWorker() {
        try (RawClient client = login()) {
            for (int worker = 1; worker <= workers().size(); worker++) {
                client.succeed("SET tenantry.node = 'worker" + worker + "'");
                client.succeed("CREATE SCHEMA w" + worker);
                client.succeed("CREATE TABLE w" + worker + ".t (x int)");
            }
        }
    }

    /** A superuser's session through the proxy, over the wire itself. */
    public RawClient login() {
        return SuperuserLogin.at(host(), port(), Map.of());
    }

    /** A second process's worth of planes, in this JVM, before the same servers; close it. */
    public Tenantry another(ProxyLimits limits) {
        try {
            return Tenantry.start(servers(), wiring(limits, new SimpleMeterRegistry()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /** A proxy beside the cluster's own that says how far each commit over several nodes is; close it. */
    public ProxyServer anotherProxy(DistributedEnd.Observer observer) throws IOException {
        return anotherProxy(ProxyLimits.forCores(1), observer);
    }

    /** The same with limits of its own. */
    public ProxyServer anotherProxy(ProxyLimits limits, DistributedEnd.Observer observer) throws IOException {
        return ProxyServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                tenantry().catalog(),
                new TlsContexts(TlsSettings.NONE),
                limits,
                new ProxyMetrics(new SimpleMeterRegistry()),
                observer);
    }

    @Override
    public void close() {
        closeProxy();
        vertx.close().toCompletionStage().toCompletableFuture().join();
        nodes.parallelStream().forEach(PostgresNode::close);
    }
}
