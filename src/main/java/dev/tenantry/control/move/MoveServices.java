package dev.tenantry.control.move;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.commit.GlobalTransactionIds;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import io.vertx.core.Vertx;
import java.time.Duration;

/**
 * What all moves of one process share.
 *
 * @param vertx runs connections
 * @param coordinator where the catalog is, and how every node is signed in to
 * @param catalog names the cluster
 * @param gids names the transactions that switch
 * @param limits what moves may take
 * @param observer told of every step
 */
record MoveServices(
        Vertx vertx,
        CoordinatorAddress coordinator,
        CatalogFeed catalog,
        GlobalTransactionIds gids,
        MoveLimits limits,
        MovePoint.Observer observer) {

    private static final Duration CONNECT_MAX = Duration.ofSeconds(10);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

    /** Copying, building and waiting for old transactions end by themselves, or by somebody's cancelling the move. */
    private static final Duration PATIENCE = Duration.ofDays(30);

    /** A connection for what takes moments, and would take seconds if a query about catalogs were compiled first. */
    ServerConnection open(CoordinatorAddress address) {
        ServerConnection connection = durable(ServerConnection.openToRepeat(vertx, address, CONNECT_MAX, ANSWER_MAX));
        connection.query("SET jit = off");
        return connection;
    }

    /** A connection for what may take hours. */
    ServerConnection openPatient(CoordinatorAddress address) {
        return durable(ServerConnection.open(vertx, address, CONNECT_MAX, PATIENCE));
    }

    /** Settings of a role or a database must not cut a move short, nor make a commit of it less than durable. */
    private static ServerConnection durable(ServerConnection connection) {
        connection.query("SET synchronous_commit = on; SET client_min_messages = warning");
        connection.endTimeouts();
        return connection;
    }
}
