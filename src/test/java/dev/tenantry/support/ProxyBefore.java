package dev.tenantry.support;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.catalog.Node;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A proxy before one node that plays from a script; its catalog knows that node and the superuser. */
public final class ProxyBefore implements AutoCloseable {

    private final FakeNode node;
    private final ProxyServer proxy;

    /** Starts the proxy; closes the node with it. */
    public ProxyBefore(FakeNode node, ProxyLimits limits) {
        this.node = node;
        Superuser superuser = Superuser.DEFAULT;
        LoginRole role = new LoginRole(
                superuser.name(), true, true, true, Optional.of(PostgresNode.VERIFIER), Optional.empty(), Map.of());
        CatalogSnapshot snapshot = new CatalogSnapshot(
                1,
                "fake",
                superuser.database(),
                List.of(new Node(1, 0, "coordinator", node.host(), node.port(), true, true, 0)),
                Map.of(),
                Map.of(role.name(), role));
        try {
            proxy = ProxyServer.start(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    new FixedCatalog(snapshot),
                    TlsSettings.NONE,
                    limits,
                    new ProxyMetrics(new SimpleMeterRegistry()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private record FixedCatalog(CatalogSnapshot current) implements CatalogFeed {
        @Override
        public CatalogSnapshot refresh() {
            return current;
        }
    }

    /** A connection over which nothing has been said. */
    public RawClient connect() {
        return RawClient.connect(node.host(), proxy.address().getPort());
    }

    /** A superuser's session. */
    public RawClient login() {
        Superuser superuser = Superuser.DEFAULT;
        return connect()
                .signIn(
                        RawClient.PROTOCOL_3_0,
                        superuser.password(),
                        Map.of("user", superuser.name(), "database", superuser.database()));
    }

    @Override
    public void close() {
        proxy.close();
        node.close();
    }
}
