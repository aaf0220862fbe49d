package dev.tenantry.control.traces;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.TracelessNodes;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.control.node.TraceSurvey;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Set;

/**
 * Keeps {@link TracelessNodes} true of one node: asks it every second whether a routine may have changed, and looks
 * through them again when one has. Runs on a virtual thread of its own until it is closed.
 */
final class NodeTraces implements AutoCloseable {

    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    /** A look takes longer the more there is, and may come again this many times later. */
    private static final int REST = 20;

    private final Vertx vertx;
    private final CoordinatorAddress address;
    private final Node node;
    private final TracelessNodes traceless;
    private final BackgroundLoop loop;

    NodeTraces(Vertx vertx, CoordinatorAddress coordinator, Node node, TracelessNodes traceless) {
        this.vertx = vertx;
        this.address = coordinator.at(node.host(), node.port());
        this.node = node;
        this.traceless = traceless;
        this.loop = new BackgroundLoop("traces-of-" + node.name(), PAUSE, this::follow, this::forget);
    }

    void start() {
        loop.start();
    }

    Node node() {
        return node;
    }

    @Override
    public void close() {
        loop.close();
    }

    private void forget() {
        traceless.unknown(node.nodeId());
    }

    private void follow(BackgroundLoop running) throws InterruptedException {
        try (ServerConnection connection = ServerConnection.open(vertx, address, ANSWER_MAX)) {
            follow(connection, running);
        } finally {
            forget();
        }
    }

    private void follow(ServerConnection connection, BackgroundLoop running) throws InterruptedException {
        TraceSurvey.Moment changed = TraceSurvey.moment(connection);
        boolean looked = false;
        boolean found = false;
        long nextLook = System.nanoTime();
        while (!running.isClosed()) {
            TraceSurvey.Moment now = TraceSurvey.moment(connection);
            boolean disturbed = looked && !found && !traceless.isKnown(node.nodeId());
            if (now.changes() != changed.changes() || disturbed) {
                forget();
                changed = now;
                looked = false;
            }
            // What had changed something when we heard of it must have committed, or we would not see it.
            if (!looked && now.oldestRunning() >= changed.next() && System.nanoTime() - nextLook >= 0) {
                long begun = System.nanoTime();
                found = !TraceSurvey.isTraceless(connection);
                traceless.settings(node.nodeId(), found ? TraceSurvey.settings(connection) : Set.of());
                long ended = System.nanoTime();
                nextLook = ended + (ended - begun) * REST;
                looked = true;
                if (!found && TraceSurvey.moment(connection).changes() == now.changes()) {
                    traceless.traceless(node.nodeId(), begun);
                }
            }
            running.pause(PAUSE);
        }
    }
}
