package dev.tenantry;

import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.node.NodeUnfitException;
import dev.tenantry.embedded.EmbeddedCluster;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsException;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.FeedLimits;
import io.vertx.pgclient.PgException;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All the planes of one process, wired together: made in the order of their needs, closed in reverse. */
public final class Tenantry implements AutoCloseable {

    private final Wiring wiring;
    private final @Nullable EmbeddedCluster embedded;
    private final ControlPlane control;
    private final ProxyServer proxy;
    private final String url;

    private Tenantry(
            Wiring wiring, @Nullable EmbeddedCluster embedded, ControlPlane control, ProxyServer proxy, String url) {
        this.wiring = wiring;
        this.embedded = embedded;
        this.control = control;
        this.proxy = proxy;
        this.url = url;
    }

    /** Starts everything and returns when clients can connect; what was started is stopped when something can't be. */
    public static Tenantry start(Servers servers, Wiring wiring) {
        return switch (servers) {
            case Servers.Embedded own -> {
                EmbeddedCluster cluster = EmbeddedCluster.start(own.settings());
                try {
                    yield startPlanes(cluster, coordinator(cluster), workers(cluster), wiring);
                } catch (RuntimeException failed) {
                    cluster.close();
                    throw failed;
                }
            }
            case Servers.Existing existing ->
                startPlanes(
                        null,
                        CoordinatorAddress.parse(existing.coordinatorUrl()),
                        existing.workers().stream().map(WorkerAddress::parse).toList(),
                        wiring);
        };
    }

    private static CoordinatorAddress coordinator(EmbeddedCluster cluster) {
        Superuser superuser = cluster.superuser();
        return new CoordinatorAddress(
                cluster.coordinator().host(),
                cluster.coordinator().port(),
                superuser.database(),
                superuser.name(),
                superuser.password());
    }

    private static List<WorkerAddress> workers(EmbeddedCluster cluster) {
        return cluster.workers().stream()
                .map(server -> new WorkerAddress(server.host(), server.port()))
                .toList();
    }

    private static Tenantry startPlanes(
            @Nullable EmbeddedCluster embedded,
            CoordinatorAddress coordinator,
            List<WorkerAddress> workers,
            Wiring wiring) {
        ControlPlane control = new ControlPlane(wiring.vertx(), coordinator, workers, FeedLimits.DEFAULT);
        try {
            control.start();
            ProxyServer proxy = ProxyServer.start(
                    wiring.listen(),
                    control.catalog(),
                    wiring.tls(),
                    wiring.limits(),
                    new ProxyMetrics(wiring.meters()));
            String credentials =
                    embedded == null ? coordinator.user() : coordinator.user() + ":" + coordinator.password();
            String url = "postgresql://%s@%s:%d/%s"
                    .formatted(
                            credentials,
                            proxy.address().getHostString(),
                            proxy.address().getPort(),
                            coordinator.database());
            return new Tenantry(wiring, embedded, control, proxy, url);
        } catch (NodeUnfitException | PgException | TlsException | IOException unfit) {
            control.close();
            throw new StartupException(String.valueOf(unfit.getMessage()), unfit);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            control.close();
            throw new StartupException("told to stop while starting", interrupted);
        }
    }

    /** How clients reach it. */
    public String url() {
        return url;
    }

    @Override
    public void close() {
        proxy.drain(wiring.stopGrace());
        proxy.close();
        control.close();
        if (embedded != null) {
            embedded.close();
        }
    }
}
