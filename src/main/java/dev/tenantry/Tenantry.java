package dev.tenantry;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.control.WorkerAddress;
import dev.tenantry.control.node.NodeUnfitException;
import dev.tenantry.control.rebalance.Rebalances;
import dev.tenantry.embedded.EmbeddedCluster;
import dev.tenantry.embedded.EmbeddedException;
import dev.tenantry.embedded.PostgresServer;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsException;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ClusterViews;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerTls;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveDesk;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * All the planes of one process, wired together: made in the order of their needs (servers, control plane, proxy),
 * closed in reverse. Started and closed once; may be read from any thread once started.
 */
public final class Tenantry implements AutoCloseable {

    private final Wiring wiring;
    private @Nullable EmbeddedCluster embedded;
    private @Nullable ControlPlane control;
    private @Nullable ProxyServer proxy;
    private String url = "";

    private Tenantry(Wiring wiring) {
        this.wiring = wiring;
    }

    /**
     * Starts everything and returns when clients can connect. If anything fails, what had been started is stopped.
     *
     * @throws StartupException if it can't be, with a sentence for the person who tries
     * @throws InterruptedException if the process is told to stop meanwhile
     */
    public static Tenantry start(Servers servers, Wiring wiring) throws InterruptedException {
        Tenantry tenantry = new Tenantry(wiring);
        boolean started = false;
        try {
            tenantry.startAll(servers);
            started = true;
            return tenantry;
        } catch (EmbeddedException | CatalogUnavailableException | NodeUnfitException | TlsException refused) {
            throw new StartupException(String.valueOf(refused.getMessage()), refused);
        } catch (StatementRefusedException refused) {
            throw new StartupException(String.valueOf(refused.getMessage()), refused);
        } catch (IllegalArgumentException wrong) {
            throw new StartupException("wrong configuration: " + wrong.getMessage(), wrong);
        } catch (IOException failed) {
            throw new StartupException(
                    failed.getMessage() + "; choose another port with --port, or another address", failed);
        } finally {
            if (!started) {
                tenantry.close();
            }
        }
    }

    private void startAll(Servers servers) throws InterruptedException, IOException {
        CoordinatorAddress coordinator;
        List<WorkerAddress> workers;
        Superuser people;
        // The files are read before servers are made, which is not done for nothing.
        TlsContexts tls = new TlsContexts(wiring.tls());
        switch (servers) {
            case Servers.Embedded own -> {
                EmbeddedCluster cluster = EmbeddedCluster.start(own.settings());
                embedded = cluster;
                coordinator = addressOf(cluster);
                workers = cluster.workers().stream()
                        .map(server -> addressOf(cluster, server))
                        .toList();
                people = cluster.superuser();
            }
            case Servers.Existing existing -> {
                coordinator = CoordinatorAddress.parse(existing.coordinatorUrl());
                workers = existing.workers().stream().map(WorkerAddress::parse).toList();
                people = new Superuser(coordinator.user(), "", coordinator.database());
            }
        }
        ControlPlane plane = new ControlPlane(
                wiring.vertx(),
                coordinator.with(wiring.serverTls()),
                workers,
                wiring.control(),
                wiring.meters(),
                wiring.moves());
        control = plane;
        plane.start(wiring.coordinatorWait());
        noteWorkers(plane.workerNodeIds());
        ProxyServer server = ProxyServer.start(
                wiring.listen(),
                plane.catalog(),
                tls,
                wiring.limits(),
                new ProxyMetrics(wiring.meters()),
                wiring.commits());
        proxy = server;
        plane.acknowledge(server.pauseProgress());
        plane.endDeadlocks(server.lockWaiters());
        plane.exchangeCancels(server.foreignCancels());
        plane.finishLost(server.lostCommits());
        url = url(people, plane.catalog().current(), server.address());
    }

    /** Embedded servers remember which node they are, so that one that was removed does not come back. */
    private void noteWorkers(List<OptionalInt> nodeIds) {
        EmbeddedCluster cluster = embedded;
        if (cluster != null) {
            List<PostgresServer> servers = cluster.workers();
            for (int i = 0; i < servers.size(); i++) {
                PostgresServer server = servers.get(i);
                nodeIds.get(i).ifPresentOrElse(id -> cluster.joined(server, id), () -> cluster.retire(server));
            }
        }
    }

    private static CoordinatorAddress addressOf(EmbeddedCluster cluster) {
        Superuser superuser = cluster.control();
        PostgresServer server = cluster.coordinator();
        return new CoordinatorAddress(
                server.host(),
                server.port(),
                superuser.database(),
                superuser.name(),
                superuser.password(),
                ServerTls.NONE);
    }

    private static WorkerAddress addressOf(EmbeddedCluster cluster, PostgresServer server) {
        OptionalInt nodeId = cluster.formerNodeId(server);
        Optional<WorkerAddress.Former> former = nodeId.isPresent()
                ? Optional.of(new WorkerAddress.Former(
                        nodeId.getAsInt(), cluster.formerPort(server).orElse(server.port())))
                : Optional.empty();
        return new WorkerAddress(former, server.host(), server.port());
    }

    private static String url(Superuser people, CatalogSnapshot catalog, InetSocketAddress listens) {
        String host = listens.getAddress().isAnyLocalAddress()
                ? "127.0.0.1"
                : listens.getAddress().getHostAddress();
        return "postgresql://%s%s@%s:%d/%s"
                .formatted(
                        people.name(),
                        isPassword(people, catalog) ? ":" + people.password() : "",
                        host.contains(":") ? "[" + host + "]" : host,
                        listens.getPort(),
                        people.database());
    }

    /** Whether the role still has the password it was made with, so that it may be shown. */
    private static boolean isPassword(Superuser people, CatalogSnapshot catalog) {
        return catalog.role(people.name())
                .flatMap(LoginRole::verifier)
                .flatMap(ScramVerifier::parse)
                .filter(verifier -> verifier.matches(people.password()))
                .isPresent();
    }

    /** How clients reach it, as the ready line says it. */
    public String url() {
        return url;
    }

    /** Where the proxy listens. */
    public InetSocketAddress address() {
        return started(proxy).address();
    }

    /** The catalog as this process knows it. */
    public CatalogFeed catalog() {
        return started(control).catalog();
    }

    /** When the coordinator last said that the catalog is as this process knows it. */
    Instant catalogConfirmed() {
        return started(control).catalog().lastContact();
    }

    /** The cluster's views, for the API. */
    ClusterViews views() {
        return started(control).views();
    }

    /** Asks for moves, for the API; close it. */
    MoveDesk openMoves() {
        return started(control).openMoves();
    }

    /** Asks for rebalances, for the API. */
    Rebalances rebalances() {
        return started(control).rebalances();
    }

    /** What the proxy is doing, for the API. */
    ActivityReader activity() {
        return started(proxy).activity();
    }

    private static <T> T started(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("not started, or closed");
        }
        return part;
    }

    /** Ends sessions, running ones after the grace that was set, then stops the rest; returns when all is down. */
    @Override
    public void close() {
        if (proxy != null) {
            proxy.drain(wiring.stopGrace());
            proxy.close();
        }
        if (control != null) {
            control.close();
        }
        if (embedded != null) {
            embedded.close();
        }
    }
}
