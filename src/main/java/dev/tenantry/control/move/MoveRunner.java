package dev.tenantry.control.move;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.commit.GlobalTransactionIds;
import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.Open;
import io.vertx.core.Vertx;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs the moves that the catalog asks for, each on a virtual thread, in whichever proxy has the lead by the
 * catalog. Who loses it leaves its moves as they are. Should two proxies believe that they have it, each move
 * is changed by the one only that took it over last.
 */
public final class MoveRunner implements AutoCloseable {

    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofSeconds(1);

    /** How long the proxy that leads may say nothing before another may. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);

    private static final int NAME_BITS = 60;

    private final MoveServices services;
    private final BackgroundLoop loop = new BackgroundLoop("moves", LOOK, this::follow);
    private final Map<Long, SchemaMove> running = new ConcurrentHashMap<>();
    private final OldCopies oldCopies;
    private volatile boolean leading;

    /** Makes one that does nothing until started. */
    public MoveRunner(
            Vertx vertx,
            CatalogFeed catalog,
            CoordinatorAddress coordinator,
            MoveLimits limits,
            MovePoint.Observer observer) {
        String name = "m" + new BigInteger(NAME_BITS, new SecureRandom()).toString(Character.MAX_RADIX);
        this.services = new MoveServices(vertx, coordinator, catalog, new GlobalTransactionIds(name), limits, observer);
        this.oldCopies = new OldCopies(services, () -> leading);
    }

    /** Begins, at once. */
    public void start() {
        loop.start();
        oldCopies.start();
    }

    /** Leaves running moves as they are; returns when nothing is done for them any more. */
    @Override
    public void close() {
        loop.close();
        oldCopies.close();
        try {
            abandon();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private void follow(BackgroundLoop looping) throws InterruptedException {
        try (ServerConnection connection =
                ServerConnection.open(services.vertx(), services.coordinator(), ANSWER_MAX)) {
            connection.onNotification(payload -> looping.wake());
            CatalogStore catalog = new CatalogStore(connection);
            catalog.endWhenSilent(SILENCE_MAX);
            MoveStore store = new MoveStore(connection);
            store.listen();
            while (!looping.isClosed()) {
                leading = catalog.leadMoves();
                if (leading) {
                    round(store);
                }
                looping.pause(LOOK);
            }
        } finally {
            leading = false;
            abandon();
        }
    }

    private void round(MoveStore store) {
        List<Open> open = store.open();
        Map<Integer, Integer> load = new HashMap<>();
        for (Open move : open) {
            if (running.containsKey(move.id())) {
                count(load, move);
            }
        }
        for (Open move : open) {
            SchemaMove known = running.get(move.id());
            if (known != null) {
                wake(known, move);
            } else if (hasRoom(load, move)) {
                begin(move.id());
                count(load, move);
            }
        }
    }

    /** Whoever copies for nothing need not notice that by himself, which may take hours. */
    private static void wake(SchemaMove running, Open move) {
        if (move.cancelled() && !move.switched()) {
            running.cancel();
        } else if (!move.stands() && MovePhase.of(move.phase()).isForward()) {
            running.stray(move.attempt());
        }
    }

    /** Only what copies is a load; what is cleaned up may wait for a node that is away. */
    private static void count(Map<Integer, Integer> load, Open move) {
        if (move.switched() || move.cancelled() || MovePhase.of(move.phase()) == MovePhase.UNDOING) {
            return;
        }
        load.merge(move.sourceNodeId(), 1, Integer::sum);
        load.merge(move.targetNodeId(), 1, Integer::sum);
    }

    /** What only has to be cleaned up need not wait for others. */
    private boolean hasRoom(Map<Integer, Integer> load, Open move) {
        int max = services.limits().perNode();
        return move.cancelled()
                || move.switched()
                || load.getOrDefault(move.sourceNodeId(), 0) < max && load.getOrDefault(move.targetNodeId(), 0) < max;
    }

    private void begin(long id) {
        SchemaMove move = new SchemaMove(services, id, () -> {
            running.remove(id);
            loop.wake();
        });
        running.put(id, move);
        move.start();
    }

    private void abandon() throws InterruptedException {
        List<SchemaMove> those = List.copyOf(running.values());
        those.forEach(SchemaMove::stop);
        for (SchemaMove move : those) {
            move.join();
        }
    }
}
