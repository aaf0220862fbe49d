package dev.tenantry.proxy.server;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.proxy.auth.ScramSecrets;
import dev.tenantry.proxy.cluster.ClusterServices;
import dev.tenantry.proxy.dispatch.PauseWaits;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.pool.BackendPools;
import dev.tenantry.proxy.query.OwnStatements;
import dev.tenantry.proxy.query.StatementAnalyzer;
import io.netty.channel.Channel;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLException;

/**
 * What the connections of one proxy share. Safe from any thread.
 */
final class ProxyCore {
    private static final System.Logger LOG = System.getLogger(ProxyCore.class.getName());

    private final ProxyLimits limits;
    private final ClusterServices services;
    private final BackendPools pools;
    private final ScramSecrets secrets;
    private final TlsContexts tls;
    private final ProxyMetrics metrics;
    private final CancelKeys cancelKeys;
    private final CancelDesk cancels;
    private final Set<ClientConnection> connections = ConcurrentHashMap.newKeySet();
    private final ThreadLocal<StatementAnalyzer> analyzers;
    private final OwnStatements.Sources own;
    private final PauseWaits pauses;
    private volatile boolean stopping;

    ProxyCore(
            ProxyLimits limits,
            ClusterServices services,
            BackendPools pools,
            ScramSecrets secrets,
            TlsContexts tls,
            ProxyMetrics metrics) {
        this.limits = limits;
        this.analyzers = ThreadLocal.withInitial(() -> new StatementAnalyzer(limits.statementCacheBytesMax()));
        this.services = services;
        this.pools = pools;
        this.secrets = secrets;
        this.tls = tls;
        this.metrics = metrics;
        String proxyId = services.ids().proxyId();
        this.cancelKeys = new CancelKeys(proxyId);
        this.cancels = new CancelDesk(proxyId, cancelKeys, metrics);
        this.own = new OwnStatements.Sources(
                services.feed(), new ProxyActivity(connections, pools, limits, services.worker()), services.worker());
        this.pauses = new PauseWaits(services.feed(), limits.pauseWaitTimeoutMillis(), metrics);
    }

    ProxyLimits limits() {
        return limits;
    }

    ClusterServices services() {
        return services;
    }

    CatalogFeed feed() {
        return services.feed();
    }

    PauseWaits pauses() {
        return pauses;
    }

    BackendPools pools() {
        return pools;
    }

    ScramSecrets secrets() {
        return secrets;
    }

    TlsContexts tls() {
        return tls;
    }

    boolean insistsOnTls() {
        return tls.settings().clientMode() == TlsSettings.ClientMode.REQUIRE;
    }

    ProxyMetrics metrics() {
        return metrics;
    }

    CancelKeys cancelKeys() {
        return cancelKeys;
    }

    CancelDesk cancels() {
        return cancels;
    }

    /** What the sessions of a connection's event loop share; asked on that loop. */
    SharedServices shared(Channel channel) {
        if (!channel.eventLoop().inEventLoop()) {
            throw new IllegalStateException("asked off the event loop");
        }
        SessionLimits session = new SessionLimits(limits.queryLengthMax());
        return new SharedServices(services, analyzers.get(), session, metrics, own, pauses);
    }

    /** No client is let in from now on. */
    void stop() {
        stopping = true;
    }

    boolean isStopping() {
        return stopping;
    }

    ActivityReader activity() {
        return own.activity();
    }

    void connected(ClientConnection connection) {
        connections.add(connection);
    }

    void disconnected(ClientConnection connection) {
        connections.remove(connection);
    }

    Set<ClientConnection> connections() {
        return connections;
    }

    /** Something went wrong that is nobody's fault but ours, or a socket broke. */
    void failed(Throwable cause) {
        // A client's broken TLS is its own affair, and the message would hold the bytes that it sent.
        if (!(cause instanceof IOException) && !(cause.getCause() instanceof SSLException)) {
            LOG.log(System.Logger.Level.ERROR, "session failed", cause);
        }
    }
}
