package dev.tenantry;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.UpkeepLimits;
import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.control.rebalance.RebalanceLimits;
import dev.tenantry.control.rebalance.plan.AutomaticRebalance;
import dev.tenantry.control.rebalance.plan.TimeWindow;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.store.ServerTls;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What the planes of one process are wired with.
 *
 * @param listen where clients connect
 * @param coordinatorWait how long a coordinator may be away at the start
 * @param stopGrace how long running statements may go on when the process is told to stop
 * @param limits what the proxy allows
 * @param control how often the control plane looks and how long it waits
 * @param tls how connections are encrypted
 * @param vertx runs the control plane's connections
 * @param meters counts
 * @param moves told of each step of a move; nobody outside tests
 * @param commits told of each step of a commit over several nodes; nobody outside tests
 */
public record Wiring(
        InetSocketAddress listen,
        Duration coordinatorWait,
        Duration stopGrace,
        ProxyLimits limits,
        ControlLimits control,
        TlsSettings tls,
        Vertx vertx,
        MeterRegistry meters,
        MovePoint.Observer moves,
        DistributedEnd.Observer commits) {

    /** What the configuration says. */
    static Wiring of(AppConfig app, ProxyConfig proxy, ControlConfig control, Vertx vertx, MeterRegistry meters) {
        int loops = proxy.eventLoops() > 0
                ? proxy.eventLoops()
                : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        return new Wiring(
                listen(app),
                Duration.ofSeconds(app.startWaitSeconds()),
                Duration.ofSeconds(app.stopGraceSeconds()),
                new ProxyLimits(
                        loops,
                        proxy.connectionsMax(),
                        proxy.authenticationTimeoutMillis(),
                        proxy.connectTimeoutMillis(),
                        proxy.queryLengthMax(),
                        proxy.statementCacheBytesMax(),
                        proxy.pauseWaitTimeoutMillis(),
                        pool(app.pool(), loops)),
                new ControlLimits(
                        feed(control.catalog()),
                        upkeep(control.upkeep()),
                        moves(app.move()),
                        rebalances(app.rebalance())),
                tls(proxy.tls()),
                vertx,
                meters,
                MovePoint.Observer.NONE,
                DistributedEnd.Observer.NONE);
    }

    private static InetSocketAddress listen(AppConfig app) {
        InetSocketAddress address = new InetSocketAddress(app.host(), app.port());
        if (address.isUnresolved()) {
            throw new StartupException(
                    "tenantry.host can't be \"" + app.host() + "\", which is no address and a name that nobody knows");
        }
        return address;
    }

    private static void require(Optional<String> file, String key) {
        if (file.isEmpty()) {
            throw new StartupException(key + " is not set; TLS as it is wanted needs that PEM file");
        }
    }

    private static PoolLimits pool(AppConfig.Pool pool, int loops) {
        boolean shares = pool.mode() == AppConfig.Pool.Mode.TRANSACTION;
        int idle = shares ? Math.max(pool.size(), pool.idleMax()) : pool.idleMax();
        int each = idle == 0 || shares ? idle : Math.max(1, idle / loops);
        return new PoolLimits(
                each,
                pool.idleTime().toMillis(),
                pool.lifeTime().toMillis(),
                pool.checkDelay().toMillis(),
                shares
                        ? new PoolLimits.Sharing(
                                pool.size(), pool.waitTimeout().toMillis(), Math.max(1, pool.waitersMax() / loops))
                        : PoolLimits.Sharing.NONE);
    }

    private static FeedLimits feed(ControlConfig.Catalog catalog) {
        return new FeedLimits(
                Duration.ofMillis(catalog.pollMillis()),
                Duration.ofMillis(catalog.answerMillisMax()),
                Duration.ofMillis(catalog.reconnectPauseMillisMax()));
    }

    private static UpkeepLimits upkeep(ControlConfig.Upkeep upkeep) {
        return new UpkeepLimits(
                Duration.ofMillis(upkeep.intervalMillis()),
                Duration.ofMillis(upkeep.preparedAgeMillisMin()),
                Duration.ofMillis(upkeep.measureMillis()));
    }

    private static MoveLimits moves(AppConfig.Move move) {
        return new MoveLimits(
                move.cutOverMax(),
                move.lockMax(),
                move.catchUpMax(),
                move.copyConnections(),
                move.perNode(),
                move.keepSource(),
                move.comparison());
    }

    private static RebalanceLimits rebalances(AppConfig.Rebalance rebalance) {
        AutomaticRebalance.Limits limits;
        try {
            limits = new AutomaticRebalance.Limits(
                    TimeWindow.parse(rebalance.window(), rebalance.zone()),
                    rebalance.imbalance(),
                    rebalance.patience(),
                    rebalance.pause());
        } catch (IllegalArgumentException wrong) {
            throw new StartupException(
                    "tenantry.rebalance.window and tenantry.rebalance.zone: " + wrong.getMessage(), wrong);
        }
        return new RebalanceLimits(
                rebalance.automatic() ? Optional.of(limits) : Optional.empty(), rebalance.interval());
    }

    /** Towards nodes the control plane does as the data path. */
    ServerTls serverTls() {
        return new ServerTls(ServerTls.Mode.valueOf(tls.nodeMode().name()), tls.rootCertificates());
    }

    private static TlsSettings tls(ProxyConfig.Tls tls) {
        if (tls.clientMode() != TlsSettings.ClientMode.DISABLE) {
            require(tls.certificate(), "tenantry.proxy.tls.certificate");
            require(tls.key(), "tenantry.proxy.tls.key");
        }
        switch (tls.nodeMode()) {
            case VERIFY_CA, VERIFY_FULL ->
                require(tls.nodeRootCertificate(), "tenantry.proxy.tls.node-root-certificate");
            case DISABLE, PREFER, REQUIRE -> {}
        }
        return new TlsSettings(
                tls.clientMode(),
                tls.certificate().map(Path::of),
                tls.key().map(Path::of),
                tls.nodeMode(),
                tls.nodeRootCertificate().map(Path::of));
    }
}
