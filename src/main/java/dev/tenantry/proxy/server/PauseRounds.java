package dev.tenantry.proxy.server;

import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.PauseProgress;
import dev.tenantry.catalog.Pauses;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Goes round the sessions of a proxy, each on its event loop, and tells them what is paused. Safe from any thread. */
final class PauseRounds implements PauseProgress {
    private static final long ROUND_MAX_SECONDS = 60;

    private final String proxyId;
    private final Set<ClientConnection> connections;

    PauseRounds(String proxyId, Set<ClientConnection> connections) {
        this.proxyId = proxyId;
        this.connections = connections;
    }

    @Override
    public String proxyId() {
        return proxyId;
    }

    @Override
    public Map<Long, Integer> running(Pauses pauses) {
        Map<EventLoop, List<ClientConnection>> byLoop = ClientConnection.byLoop(connections);
        List<CompletableFuture<int[]>> rounds = new ArrayList<>();
        byLoop.forEach((loop, those) -> rounds.add(round(loop, those, pauses)));
        Map<Long, Integer> running = new HashMap<>();
        pauses.all().forEach(pause -> running.put(pause.id(), 0));
        for (CompletableFuture<int[]> round : rounds) {
            int[] counts = await(round);
            List<Pause> all = pauses.all();
            for (int i = 0; i < counts.length; i++) {
                running.merge(all.get(i).id(), counts[i], Integer::sum);
            }
        }
        return running;
    }

    private static CompletableFuture<int[]> round(EventLoop loop, List<ClientConnection> those, Pauses pauses) {
        try {
            return CompletableFuture.supplyAsync(() -> count(those, pauses), loop);
        } catch (RejectedExecutionException ended) {
            throw new IllegalStateException("the proxy has stopped", ended);
        }
    }

    /** A session that begins later hears of them with its first statement, before it is in any transaction. */
    private static int[] count(List<ClientConnection> those, Pauses pauses) {
        int[] counts = new int[pauses.all().size()];
        for (ClientConnection connection : those) {
            ClientSession session = connection.session();
            if (session != null) {
                List<Boolean> running = session.pauses().hear(pauses);
                for (int i = 0; i < counts.length; i++) {
                    counts[i] += running.get(i) ? 1 : 0;
                }
            }
        }
        return counts;
    }

    private static int[] await(CompletableFuture<int[]> round) {
        try {
            return round.get(ROUND_MAX_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", stopped);
        } catch (ExecutionException | TimeoutException failed) {
            throw new CompletionException("a round of the sessions has failed", failed);
        }
    }
}
