package dev.tenantry.control;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.Node;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.control.node.NodeConnections;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Notes in the catalog which workers hang: they take connections and say nothing, so that whoever asks them waits for
 * ever. One that refuses connections does not hang, as everybody hears of that at once. One proxy does it, on a virtual
 * thread of its own.
 */
final class SilenceWatch implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(SilenceWatch.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration CATALOG_ANSWER_MAX = Duration.ofSeconds(10);

    /** A node that is merely busy answers such a question sooner. */
    private static final Duration NODE_ANSWER_MAX = Duration.ofSeconds(4);

    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final CatalogFeed catalog;
    private final CoordinatorAddress coordinator;
    private final BackgroundLoop loop;
    private final NodeConnections connections;

    SilenceWatch(Vertx vertx, CatalogFeed catalog, CoordinatorAddress coordinator) {
        this.vertx = vertx;
        this.catalog = catalog;
        this.coordinator = coordinator;
        this.connections = new NodeConnections(vertx, coordinator, NODE_ANSWER_MAX);
        this.loop = new BackgroundLoop("silence", PAUSE, this::watch, connections::close);
    }

    void start() {
        loop.start();
    }

    /** Stops it; returns when its connections have been closed, or it takes too long. */
    @Override
    public void close() {
        loop.close();
    }

    private void watch(BackgroundLoop running) throws InterruptedException, ExecutionException {
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, CATALOG_ANSWER_MAX);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            CatalogStore store = new CatalogStore(connection);
            store.endWhenSilent(SILENCE_MAX);
            @Nullable Set<Integer> noted = null;
            while (!running.isClosed()) {
                if (store.leadWatch()) {
                    Set<Integer> silent = silent(threads);
                    if (!silent.equals(noted)) {
                        store.noteSilence(silent);
                        noted = silent;
                    }
                } else {
                    connections.close();
                    noted = null;
                }
                running.pause(PAUSE);
            }
        }
    }

    private Set<Integer> silent(ExecutorService threads) throws InterruptedException, ExecutionException {
        List<Node> nodes = catalog.current().nodes().stream()
                .filter(node -> !node.isCoordinator() && node.active())
                .toList();
        connections.closeAllBut(nodes);
        Set<Integer> silent = ConcurrentHashMap.newKeySet();
        List<Callable<Boolean>> questions = new ArrayList<>();
        nodes.forEach(node -> questions.add(() -> hangs(node) && silent.add(node.nodeId())));
        for (Future<Boolean> answer : threads.invokeAll(questions)) {
            answer.get();
        }
        return Set.copyOf(silent);
    }

    private boolean hangs(Node node) {
        boolean answered = false;
        try {
            connections.to(node).query("SELECT 1");
            answered = true;
            return false;
        } catch (CatalogUnavailableException away) {
            boolean late = away.getCause() instanceof TimeoutException;
            LOG.debugf("no answer node=%s reason=%s", node.name(), away.getMessage());
            return late;
        } catch (StatementRefusedException refused) {
            LOG.debugf("refused node=%s reason=%s", node.name(), refused.getMessage());
            return false; // it has said something
        } finally {
            if (!answered) {
                connections.close(node);
            }
        }
    }
}
