package dev.tenantry.proxy.server;

import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.PauseProgress;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.proxy.query.PauseGate;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Arrays;
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
import java.util.concurrent.atomic.AtomicIntegerArray;

/** Goes round the sessions of a proxy, each on its event loop, and tells them what is paused. Safe from any thread. */
final class PauseRounds implements PauseProgress {
    private static final long ROUND_MAX_SECONDS = 60;

    private final String proxyId;
    private final Set<ClientConnection> connections;

    PauseRounds(String proxyId, Set<ClientConnection> connections) {
        this.proxyId = proxyId;
        this.connections = connections;
    }

    /** One round: how many sessions are still running, by pause, in all event loops. */
    private static final class Round {
        private final Pauses pauses;
        private final List<Pause> all;
        private final Runnable ended;

        /** And one more, as long as not every session has been asked. */
        private final AtomicIntegerArray left;

        private Round(Pauses pauses, Runnable ended) {
            this.pauses = pauses;
            this.all = pauses.all();
            this.ended = ended;
            this.left = new AtomicIntegerArray(all.size());
            for (int i = 0; i < all.size(); i++) {
                left.set(i, 1);
            }
        }

        /** On the loop of those sessions. One that begins later hears of pauses before it is in any transaction. */
        private int[] count(EventLoop loop, List<ClientConnection> those) {
            int[] counts = new int[all.size()];
            for (ClientConnection connection : those) {
                ClientSession session = connection.session();
                if (session != null) {
                    List<Integer> running = new ArrayList<>();
                    List<Boolean> heard = session.pauses().hear(pauses);
                    for (int i = 0; i < counts.length; i++) {
                        if (heard.get(i)) {
                            counts[i]++;
                            left.incrementAndGet(i);
                            running.add(i);
                        }
                    }
                    follow(loop, session.pauses(), running);
                }
            }
            return counts;
        }

        /** Looks again after whatever happens to a session, when that is over. */
        private void follow(EventLoop loop, PauseGate gate, List<Integer> running) {
            if (!running.isEmpty()) {
                gate.onProgress(() -> loop.execute(() -> {
                    running.removeIf(i -> {
                        boolean over = !gate.isRunning(all.get(i));
                        if (over) {
                            end(i);
                        }
                        return over;
                    });
                    follow(loop, gate, running);
                }));
            }
        }

        private void end(int pause) {
            if (left.decrementAndGet(pause) == 0) {
                ended.run();
            }
        }
    }

    @Override
    public String proxyId() {
        return proxyId;
    }

    @Override
    public Map<Long, Integer> running(Pauses pauses, Runnable ended) {
        Map<EventLoop, List<ClientConnection>> byLoop = ClientConnection.byLoop(connections);
        Round round = new Round(pauses, ended);
        List<CompletableFuture<int[]>> asked = new ArrayList<>();
        byLoop.forEach((loop, those) -> asked.add(ask(round, loop, those)));
        int[] sums = new int[round.all.size()];
        for (CompletableFuture<int[]> answer : asked) {
            int[] counts = await(answer);
            Arrays.setAll(sums, i -> sums[i] + counts[i]);
        }
        Map<Long, Integer> running = new HashMap<>();
        for (int i = 0; i < sums.length; i++) {
            running.put(round.all.get(i).id(), sums[i]);
            if (sums[i] > 0) {
                round.end(i); // all have been asked
            }
        }
        return running;
    }

    private static CompletableFuture<int[]> ask(Round round, EventLoop loop, List<ClientConnection> those) {
        try {
            return CompletableFuture.supplyAsync(() -> round.count(loop, those), loop);
        } catch (RejectedExecutionException ended) {
            throw new IllegalStateException("the proxy has stopped", ended);
        }
    }

    private static int[] await(CompletableFuture<int[]> answer) {
        try {
            return answer.get(ROUND_MAX_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", stopped);
        } catch (ExecutionException | TimeoutException failed) {
            throw new CompletionException("a round of the sessions has failed", failed);
        }
    }
}
