package dev.tenantry;

import dev.tenantry.control.api.ApiAccess;
import dev.tenantry.embedded.EmbeddedException;
import dev.tenantry.embedded.FreePort;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The life of the process: start everything, say so in one line, wait for the signal, stop everything. Starting and
 * stopping exclude each other, so a signal that comes early stops what has been started.
 */
@ApplicationScoped
public class Service implements QuarkusApplication {

    private static final Logger LOG = Logger.getLogger(Service.class);

    private final AppConfig config;
    private final ProxyConfig proxyConfig;
    private final ControlConfig controlConfig;
    private final Vertx vertx;
    private final MeterRegistry meters;
    private final ApiAccess api;
    private final ReentrantLock lifecycle = new ReentrantLock();
    private volatile boolean stopped;
    private volatile @Nullable Thread starting;
    private volatile @Nullable Tenantry tenantry;

    Service(
            AppConfig config,
            ProxyConfig proxyConfig,
            ControlConfig controlConfig,
            Vertx vertx,
            MeterRegistry meters,
            ApiAccess api) {
        this.config = config;
        this.proxyConfig = proxyConfig;
        this.controlConfig = controlConfig;
        this.vertx = vertx;
        this.meters = meters;
        this.api = api;
    }

    @Override
    public int run(String... args) {
        try {
            start();
        } catch (StartupException refused) {
            LOG.debug("could not start", refused);
            Terminal.note("tenantry: " + refused.getMessage());
            return App.EXIT_NOT_STARTED;
        } catch (InterruptedException toldToStop) {
            return 0;
        }
        Quarkus.waitForExit();
        return 0;
    }

    /** What is running, once it is. */
    Optional<Tenantry> running() {
        return Optional.ofNullable(tenantry);
    }

    /** The process has said for {@code tenantry.stop-delay} that it is not ready; the HTTP port is closed by then. */
    void onShutdown(@Observes ShutdownEvent event) {
        stopped = true;
        Thread waiting = starting;
        if (waiting != null) {
            waiting.interrupt();
        }
        lifecycle.lock();
        try {
            api.close();
            if (tenantry != null) {
                tenantry.close();
                tenantry = null;
            }
        } finally {
            lifecycle.unlock();
        }
    }

    private void start() throws InterruptedException {
        lifecycle.lock();
        starting = Thread.currentThread();
        try {
            if (!stopped) {
                requirePort();
                Wiring wiring = Wiring.of(config, proxyConfig, controlConfig, vertx, meters);
                Tenantry started = Tenantry.start(servers(), wiring);
                tenantry = started;
                api.open(
                        started.catalog(),
                        started.views(),
                        started.activity(),
                        started::openMoves,
                        started.rebalances());
                Terminal.result("ready: " + started.url());
                Terminal.note("connect: psql " + started.url() + "    stop: Ctrl-C");
            }
        } finally {
            starting = null;
            lifecycle.unlock();
        }
    }

    private Servers servers() {
        try {
            return Servers.of(config);
        } catch (EmbeddedException refused) {
            throw new StartupException(String.valueOf(refused.getMessage()), refused);
        }
    }

    /** Said before servers are made and not after; the proxy's own bind has the last word. */
    private void requirePort() {
        if (config.port() != 0 && !FreePort.isFree(config.port())) {
            throw new StartupException(
                    "port " + config.port() + " is taken by another process; choose another with --port");
        }
    }
}
