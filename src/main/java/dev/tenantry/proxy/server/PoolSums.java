package dev.tenantry.proxy.server;

import dev.tenantry.activity.PoolActivity;
import dev.tenantry.activity.Viewer;
import dev.tenantry.proxy.pool.PoolContents;
import dev.tenantry.proxy.pool.PoolKey;
import dev.tenantry.proxy.pool.PoolLimits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Counts the connections of all event loops by node and by who can use them. Not thread-safe. */
final class PoolSums {
    private static final Set<String> SHOWN_APART = Set.of("user", "database");

    private final Moment now;
    private final @Nullable Long nodeSizeMax;
    private final OwnSettings settings;
    private final Map<Kind, Sum> sums = new HashMap<>();

    private record Kind(String node, String role, String parameters) {}

    private static final class Sum {
        private long used;
        private long idle;
        private long waiting;
        private long longestWaitMillis;
    }

    PoolSums(Moment now, ProxyLimits limits) {
        PoolLimits.Sharing sharing = limits.pool().sharing();
        this.now = now;
        this.settings = new OwnSettings(sharing.isOn());
        this.nodeSizeMax = sharing.sizeMax() == 0 ? null : (Long) (long) sharing.sizeMax();
    }

    /** Adds those of one loop. */
    void add(LoopSurvey loop) {
        for (LoopSurvey.FoundBackend backend : loop.backends()) {
            Sum sum = sum(backend.shown().node(), backend.key());
            if (backend.shown().sessionId() == null) {
                sum.idle++;
            } else {
                sum.used++;
            }
        }
        for (PoolContents.Wait wait : loop.waits()) {
            Sum sum = sum(wait.node().name(), wait.key());
            sum.waiting++;
            sum.longestWaitMillis = Math.max(sum.longestWaitMillis, now.millisSince(wait.sinceNanos()));
        }
    }

    private Sum sum(String node, PoolKey key) {
        return sums.computeIfAbsent(new Kind(node, key.role().name(), parameters(key)), first -> new Sum());
    }

    /** What the client asked for at the start, in the order of the names. */
    private String parameters(PoolKey key) {
        List<String> shown = new ArrayList<>();
        key.startupParameters().forEach((name, value) -> {
            String asked = name.equals("options") ? settings.askedOptions(key.role(), value) : value;
            if (!SHOWN_APART.contains(name) && !(name.equals("options") && asked.isEmpty())) {
                shown.add(name + "=" + asked);
            }
        });
        return shown.stream().sorted().collect(Collectors.joining(" "));
    }

    /** All that a viewer may see, by node, role and parameters. */
    List<PoolActivity> rows(Viewer viewer) {
        return sums.entrySet().stream()
                .map(entry -> row(entry.getKey(), entry.getValue()))
                .filter(row -> viewer.sees(row.role()))
                .sorted(Comparator.comparing(PoolActivity::node)
                        .thenComparing(PoolActivity::role)
                        .thenComparing(PoolActivity::parameters))
                .toList();
    }

    private PoolActivity row(Kind kind, Sum sum) {
        return new PoolActivity(
                kind.node(),
                kind.role(),
                kind.parameters(),
                sum.used + sum.idle,
                sum.used,
                sum.idle,
                sum.waiting,
                sum.longestWaitMillis,
                nodeSizeMax);
    }
}
