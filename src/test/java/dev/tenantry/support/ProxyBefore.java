package dev.tenantry.support;

import dev.tenantry.activity.LostCommits.Lost;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.TracelessNodes;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A proxy before nodes that play from scripts; its catalog knows them and the superuser. The first is the coordinator;
 * the second owns schema {@code s2}, the third {@code s3} and so on.
 */
public final class ProxyBefore implements AutoCloseable {

    private final List<FakeNode> nodes;
    private final ProxyServer proxy;

    /** Starts the proxy; closes the nodes with it. */
    public ProxyBefore(ProxyLimits limits, FakeNode... nodes) {
        this(limits, TlsSettings.NONE, nodes);
    }

    /** The same with TLS. */
    public ProxyBefore(ProxyLimits limits, TlsSettings tls, FakeNode... nodes) {
        this.nodes = List.of(nodes);
        Superuser superuser = Superuser.DEFAULT;
        LoginRole role = new LoginRole(
                superuser.name(), true, true, true, Optional.of(PostgresNode.VERIFIER), Optional.empty(), Map.of());
        CatalogSnapshot snapshot = new CatalogSnapshot(
                1,
                "fake",
                superuser.database(),
                IntStream.rangeClosed(1, nodes.length).mapToObj(this::node).toList(),
                IntStream.rangeClosed(2, nodes.length)
                        .mapToObj(number -> new DistributedSchema("s" + number, number, node(number)))
                        .collect(Collectors.toMap(DistributedSchema::name, Function.identity())),
                Map.of(role.name(), role));
        try {
            proxy = ProxyServer.start(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    new FixedCatalog(snapshot, new TracelessNodes()),
                    new TlsContexts(tls),
                    limits,
                    new ProxyMetrics(new SimpleMeterRegistry()),
                    DistributedEnd.Observer.NONE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Node node(int number) {
        FakeNode node = nodes.get(number - 1);
        String name = number == 1 ? "coordinator" : "worker" + (number - 1);
        return new Node(number, number - 1, name, node.host(), node.port(), true, true);
    }

    private record FixedCatalog(CatalogSnapshot current, TracelessNodes traceless) implements CatalogFeed {
        @Override
        public CatalogSnapshot refresh() {
            return current;
        }

        @Override
        public void onChange(Runnable action) {
            // it never does
        }

        @Override
        public void forget(Runnable action) {
            // nothing is remembered
        }
    }

    /** A connection over which nothing has been said. */
    public RawClient connect() {
        return RawClient.connect("127.0.0.1", proxy.address().getPort());
    }

    /** A superuser's session. */
    public RawClient login() {
        return SuperuserLogin.at("127.0.0.1", proxy.address().getPort(), Map.of());
    }

    /** Lets the proxy stop; returns when it has no clients any more. */
    public void drain(Duration grace) {
        proxy.drain(grace);
    }

    /** The gids of transactions that it can't end, with the nodes concerned, since it was last asked. */
    public Map<String, Set<Integer>> lostCommits() {
        return proxy.lostCommits().lost().stream().collect(Collectors.toMap(Lost::gid, Lost::nodeIds));
    }

    @Override
    public void close() {
        proxy.close();
        nodes.forEach(FakeNode::close);
    }
}
