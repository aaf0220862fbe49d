package dev.tenantry;

import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * What the planes of one process are wired with.
 *
 * @param listen where clients connect
 * @param coordinatorWait how long a coordinator may be away at the start
 * @param stopGrace how long running statements may go on when the process is told to stop
 * @param limits what the proxy allows
 * @param tls how connections are encrypted
 * @param vertx runs the control plane's connections
 * @param meters counts
 */
public record Wiring(
        InetSocketAddress listen,
        Duration coordinatorWait,
        Duration stopGrace,
        ProxyLimits limits,
        TlsSettings tls,
        Vertx vertx,
        MeterRegistry meters) {

    /** What the configuration says. */
    static Wiring of(AppConfig app, ProxyConfig proxy, Vertx vertx, MeterRegistry meters) {
        int loops = proxy.eventLoops() > 0
                ? proxy.eventLoops()
                : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        return new Wiring(
                new InetSocketAddress(app.host(), app.port()),
                Duration.ofSeconds(app.startWaitSeconds()),
                Duration.ofSeconds(app.stopGraceSeconds()),
                new ProxyLimits(
                        loops,
                        proxy.connectionsMax(),
                        proxy.authenticationTimeoutMillis(),
                        proxy.connectTimeoutMillis(),
                        proxy.queryLengthMax(),
                        proxy.statementCacheBytesMax()),
                tls(proxy.tls()),
                vertx,
                meters);
    }

    private static TlsSettings tls(ProxyConfig.Tls tls) {
        return new TlsSettings(
                mode(TlsSettings.ClientMode.class, "tenantry.proxy.tls.client-mode", tls.clientMode()),
                tls.certificate().map(Path::of),
                tls.key().map(Path::of),
                mode(TlsSettings.NodeMode.class, "tenantry.proxy.tls.node-mode", tls.nodeMode()),
                tls.nodeRootCertificate().map(Path::of));
    }

    private static <E extends Enum<E>> E mode(Class<E> type, String key, String value) {
        try {
            return Enum.valueOf(type, value.trim().toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (IllegalArgumentException unknown) {
            throw new StartupException(key + " can't be \"" + value + "\"", unknown);
        }
    }
}
