package dev.tenantry.proxy.server;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.activity.BackendActivity;
import dev.tenantry.activity.PinActivity;
import dev.tenantry.activity.PoolActivity;
import dev.tenantry.activity.SessionActivity;
import dev.tenantry.activity.TransactionActivity;
import dev.tenantry.activity.Viewer;
import dev.tenantry.proxy.pool.BackendPools;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Asks each event loop what its sessions and connections do, and puts the answers together on a thread of its own. Safe
 * from any thread.
 */
final class ProxyActivity implements ActivityReader {
    private final Set<ClientConnection> connections;
    private final BackendPools pools;
    private final ProxyLimits limits;
    private final Executor worker;

    /** Of these, which change all the time. */
    ProxyActivity(Set<ClientConnection> connections, BackendPools pools, ProxyLimits limits, Executor worker) {
        this.connections = connections;
        this.pools = pools;
        this.limits = limits;
        this.worker = worker;
    }

    @Override
    public CompletableFuture<List<SessionActivity>> sessions(Viewer viewer) {
        return survey().thenApply(loops -> rows(
                loops,
                LoopSurvey::sessions,
                row -> viewer.sees(row.role()),
                Comparator.comparing(SessionActivity::sessionStart).thenComparingLong(SessionActivity::sessionId)));
    }

    @Override
    public CompletableFuture<List<BackendActivity>> backends(Viewer viewer) {
        return survey().thenApply(loops -> rows(
                loops,
                loop -> loop.backends().stream()
                        .map(LoopSurvey.FoundBackend::shown)
                        .toList(),
                row -> viewer.sees(row.role()),
                Comparator.comparing(BackendActivity::node)
                        .thenComparing(BackendActivity::openedAt)
                        .thenComparingInt(BackendActivity::pid)));
    }

    @Override
    public CompletableFuture<List<PoolActivity>> pools(Viewer viewer) {
        Moment now = Moment.now();
        return survey().thenApply(loops -> {
            PoolSums sums = new PoolSums(now, limits);
            loops.forEach(sums::add);
            return sums.rows(viewer);
        });
    }

    @Override
    public CompletableFuture<List<PinActivity>> pins(Viewer viewer) {
        return survey().thenApply(loops -> rows(
                loops,
                LoopSurvey::pins,
                row -> viewer.sees(row.role()),
                Comparator.comparing(PinActivity::since)
                        .thenComparingLong(PinActivity::sessionId)
                        .thenComparing(PinActivity::reason)));
    }

    @Override
    public CompletableFuture<List<TransactionActivity>> transactions(Viewer viewer) {
        return survey().thenApply(loops -> rows(
                loops,
                LoopSurvey::transactions,
                row -> viewer.sees(row.role()),
                Comparator.comparing(TransactionActivity::xactStart)
                        .thenComparingLong(TransactionActivity::sessionId)));
    }

    private static <T> List<T> rows(
            List<LoopSurvey> loops, Function<LoopSurvey, List<T>> found, Predicate<T> shown, Comparator<T> order) {
        return loops.stream()
                .flatMap(loop -> found.apply(loop).stream())
                .filter(shown)
                .sorted(order)
                .toList();
    }

    private CompletableFuture<List<LoopSurvey>> survey() {
        Map<EventLoop, List<ClientConnection>> byLoop = ClientConnection.byLoop(connections);
        pools.loops().forEach(loop -> byLoop.putIfAbsent(loop, List.of()));
        Moment now = Moment.now();
        List<CompletableFuture<LoopSurvey>> surveys = new ArrayList<>();
        byLoop.forEach((loop, those) -> surveys.add(new LoopSurvey(pools.of(loop), those, now).begin()));
        return CompletableFuture.allOf(surveys.toArray(CompletableFuture[]::new))
                .thenApplyAsync(
                        all -> surveys.stream().map(CompletableFuture::join).toList(), worker);
    }
}
