package dev.tenantry.embedded;

import dev.tenantry.scram.ScramVerifier;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/**
 * A coordinator and workers: real PostgreSQL servers on loopback whose data lies in one folder and is there again at
 * the next start. Thread-safe once started.
 */
public final class EmbeddedCluster implements AutoCloseable {

    /**
     * What to start.
     *
     * @param folder where the data is kept
     * @param workers how many workers at least; those that exist already are started anyway
     * @param binaries the programs to start
     * @param superuser role and database of new servers
     * @param durability whether data must survive the machine
     */
    public record Settings(
            Path folder, int workers, PostgresBinaries binaries, Superuser superuser, Durability durability) {}

    private static final Logger LOG = Logger.getLogger(EmbeddedCluster.class);
    static final int SCRAM_ITERATIONS = 4096;
    private static final int SCRAM_SALT_BYTES = 16;
    private static final Executor EACH_IN_A_THREAD = Thread::startVirtualThread;

    private final Settings settings;
    private final ClusterFolder folder;
    private final List<PostgresServer> servers = new ArrayList<>();
    private final Map<PostgresServer, OptionalInt> formerPorts = new ConcurrentHashMap<>();

    private EmbeddedCluster(Settings settings, ClusterFolder folder) {
        this.settings = settings;
        this.folder = folder;
    }

    /** Starts all servers at once and returns when they take connections; stops what it started if one fails. */
    public static EmbeddedCluster start(Settings settings) {
        EmbeddedCluster cluster = new EmbeddedCluster(settings, ClusterFolder.open(settings.folder()));
        try {
            cluster.startServers();
            return cluster;
        } catch (EmbeddedException failed) {
            cluster.close();
            throw failed;
        }
    }

    /** The server that holds the catalog. */
    public PostgresServer coordinator() {
        return servers.getFirst();
    }

    /** The other servers, {@code worker1} first. */
    public List<PostgresServer> workers() {
        return List.copyOf(servers.subList(1, servers.size()));
    }

    /** The role and database they were made with; people may have changed the password since. */
    public Superuser superuser() {
        return settings.superuser();
    }

    /** As whom the control plane signs in: a superuser of its own. */
    public Superuser control() {
        return new Superuser(
                ControlRole.NAME,
                folder.controlRole().password(),
                settings.superuser().database());
    }

    /** The node that this server was when it last ran, if it has ever been one. */
    public OptionalInt formerNodeId(PostgresServer server) {
        return folder.nodeId(server.name());
    }

    /** The port that this server had when it last ran. */
    public OptionalInt formerPort(PostgresServer server) {
        return formerPorts.getOrDefault(server, OptionalInt.empty());
    }

    /** Notes which node a server is, so that it is known again wherever it listens. */
    public void joined(PostgresServer server, int nodeId) {
        folder.keepNodeId(server.name(), nodeId);
    }

    /** Stops a server that was removed from the cluster, and never starts it again; its data stays. */
    public void retire(PostgresServer server) {
        folder.retire(server.name());
        server.close();
        servers.remove(server);
        LOG.warnf(
                "server was removed from the cluster and is not started any more node=%s data=%s",
                server.name(), folder.dataFolder(server.name()));
    }

    /** Stops all servers at once, fast, and gives the folder free. */
    @Override
    public void close() {
        forEach(PostgresServer::close);
        folder.close();
    }

    private void startServers() {
        int existing = folder.existingWorkers();
        if (existing > settings.workers()) {
            LOG.infof(
                    "more workers exist than asked for, all are kept asked=%d existing=%d",
                    settings.workers(), existing);
        }
        Launcher launcher = Launcher.detect();
        String verifier = verifier();
        for (String name : folder.serverNames(settings.workers())) {
            ServerSettings server = new ServerSettings(
                    name,
                    folder.dataFolder(name),
                    folder.logFile(name),
                    settings.binaries(),
                    settings.superuser(),
                    verifier,
                    settings.durability());
            servers.add(new PostgresServer(server, launcher));
        }
        forEach(this::startOne);
    }

    private void startOne(PostgresServer server) {
        OptionalInt kept = folder.port(server.name());
        formerPorts.put(server, kept);
        if (!folder.hasControlRole(server.name())) {
            server.prepare(folder.controlRole());
            folder.keepHasControlRole(server.name());
        }
        server.start(kept);
        folder.keepPort(server.name(), server.port());
        if (kept.isPresent() && kept.getAsInt() != server.port()) {
            LOG.warnf(
                    "port was taken, using another node=%s was=%d port=%d",
                    server.name(), kept.getAsInt(), server.port());
        }
        LOG.infof("server started node=%s port=%d", server.name(), server.port());
    }

    /** A role is the same on every server only if its verifier is the same text, salt included. */
    private String verifier() {
        String kept = folder.verifier();
        if (kept != null) {
            return kept;
        }
        byte[] salt = new byte[SCRAM_SALT_BYTES];
        new SecureRandom().nextBytes(salt);
        String made = ScramVerifier.of(settings.superuser().password(), SCRAM_ITERATIONS, salt)
                .toString();
        folder.keepVerifier(made);
        return made;
    }

    private void forEach(Consumer<PostgresServer> action) {
        List<CompletableFuture<Void>> running = servers.stream()
                .map(server -> CompletableFuture.runAsync(() -> action.accept(server), EACH_IN_A_THREAD))
                .toList();
        try {
            CompletableFuture.allOf(running.toArray(CompletableFuture<?>[]::new))
                    .join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof EmbeddedException refused) {
                throw refused;
            }
            throw failed;
        }
    }
}
