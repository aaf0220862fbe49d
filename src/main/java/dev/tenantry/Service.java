package dev.tenantry;

import dev.tenantry.embedded.EmbeddedException;
import dev.tenantry.embedded.FreePort;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The life of the process: start everything, say so in one line, wait for the signal, stop everything. Starting and
 * stopping exclude each other, so a signal that comes early stops what has been started.
 */
@ApplicationScoped
public class Service implements QuarkusApplication {

    private final AppConfig config;
    private final ProxyConfig proxyConfig;
    private final Vertx vertx;
    private final MeterRegistry meters;
    private final ReentrantLock lifecycle = new ReentrantLock();
    private boolean stopped;
    private @Nullable Tenantry tenantry;

    Service(AppConfig config, ProxyConfig proxyConfig, Vertx vertx, MeterRegistry meters) {
        this.config = config;
        this.proxyConfig = proxyConfig;
        this.vertx = vertx;
        this.meters = meters;
    }

    @Override
    public int run(String... args) {
        try {
            start();
        } catch (StartupException | EmbeddedException refused) {
            Terminal.note("tenantry: " + refused.getMessage());
            return App.EXIT_NOT_STARTED;
        }
        Quarkus.waitForExit();
        return 0;
    }

    void onShutdown(@Observes ShutdownEvent event) {
        lifecycle.lock();
        try {
            stopped = true;
            if (tenantry != null) {
                tenantry.close();
                tenantry = null;
            }
        } finally {
            lifecycle.unlock();
        }
    }

    /** Said before servers are made and not after; the proxy's own bind has the last word. */
    private void requirePort() {
        if (config.port() != 0 && !FreePort.isFree(config.port())) {
            throw new StartupException(
                    "port " + config.port() + " is taken by another process; choose another with --port");
        }
    }

    private void start() {
        lifecycle.lock();
        try {
            if (!stopped) {
                requirePort();
                tenantry = Tenantry.start(Servers.of(config), Wiring.of(config, proxyConfig, vertx, meters));
                Terminal.result("ready: " + tenantry.url());
                Terminal.note("connect: psql " + tenantry.url() + "    stop: Ctrl-C");
            }
        } finally {
            lifecycle.unlock();
        }
    }
}
