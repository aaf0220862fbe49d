package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.backend.BackendConnection;
import java.util.concurrent.CompletableFuture;

/**
 * Who wants which connection.
 *
 * @param credentials what signs in to the node if a new one is needed
 * @param opened completes with it; who completes it exceptionally gives up
 * @param askedNanos since when, of {@link System#nanoTime()}
 */
record Request(
        Node node,
        PoolKey key,
        ScramClient.Credentials credentials,
        BackendHolder holder,
        CompletableFuture<BackendConnection> opened,
        long askedNanos) {

    /** Whether a connection goes to the node that is wanted. */
    boolean isFor(BackendConnection backend) {
        return isSame(backend.node(), node);
    }

    /** Whether the connection would be the same to the session as one opened anew. */
    boolean fits(BackendConnection backend, PoolKey itsKey) {
        return isFor(backend) && itsKey.equals(key) && (!backend.isCustomized() || holder.usesCustomSettings());
    }

    static boolean isSame(Node one, Node other) {
        return one.nodeId() == other.nodeId() && one.address().equals(other.address());
    }
}
