package dev.tenantry.proxy.server;

import dev.tenantry.activity.LockWaiter;
import dev.tenantry.activity.LockWaiters;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** Finds the sessions that may wait for locks on several nodes, each on its event loop. Safe from any thread. */
final class ProxyLockWaiters implements LockWaiters {
    private final Set<ClientConnection> connections;

    /** Of these, which change all the time. */
    ProxyLockWaiters(Set<ClientConnection> connections) {
        this.connections = connections;
    }

    @Override
    public CompletableFuture<List<LockWaiter>> waiting(Duration atLeast) {
        Map<EventLoop, List<ClientConnection>> byLoop = ClientConnection.byLoop(connections);
        Moment now = Moment.now();
        List<CompletableFuture<List<LockWaiter>>> loops = new ArrayList<>();
        byLoop.forEach((loop, those) -> loops.add(CompletableFuture.supplyAsync(
                () -> {
                    List<LockWaiter> found = new ArrayList<>();
                    those.forEach(connection -> ifWaits(connection, now, atLeast, found::add));
                    return found;
                },
                loop)));
        return CompletableFuture.allOf(loops.toArray(CompletableFuture[]::new))
                .thenApply(all ->
                        loops.stream().flatMap(loop -> loop.join().stream()).toList());
    }

    private static void ifWaits(
            ClientConnection connection, Moment now, Duration atLeast, Consumer<LockWaiter> action) {
        ClientSession session = connection.session();
        if (session != null) {
            session.portrait()
                    .lockWaiter(connection.identity(), now)
                    .filter(waiter -> now.nanos() - waiter.statement() >= atLeast.toNanos())
                    .ifPresent(action);
        }
    }

    @Override
    public void fail(LockWaiter victim) {
        for (ClientConnection connection : connections) {
            connection.loop().ifPresent(loop -> {
                try {
                    loop.execute(() -> fail(connection, victim));
                } catch (RejectedExecutionException stopped) {
                    // so its sessions have ended, and the victim with them
                }
            });
        }
    }

    private static void fail(ClientConnection connection, LockWaiter victim) {
        ifWaits(connection, Moment.now(), Duration.ZERO, waiter -> {
            ClientSession session = connection.session();
            if (session != null
                    && waiter.sessionId() == victim.sessionId()
                    && waiter.statement() == victim.statement()) {
                session.portrait().isDeadlocked();
                session.cancel();
            }
        });
    }
}
