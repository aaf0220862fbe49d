package dev.tenantry.control.api;

import dev.tenantry.control.rebalance.Rebalances;
import dev.tenantry.store.rebalance.RebalanceJob;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Looks at one rebalance until it has ended, or at the one that runs and those asked for later. */
final class RebalanceWatch implements EventStreams.Watch {

    /** More do not begin between two looks. */
    private static final int LOOKED_AT = 10;

    private final Rebalances rebalances;
    private final OptionalLong only;
    private final Map<Long, RebalanceJob> told = new HashMap<>();
    private final long ended;
    private boolean over;

    private RebalanceWatch(Rebalances rebalances, OptionalLong only, long ended) {
        this.rebalances = rebalances;
        this.only = only;
        this.ended = ended;
    }

    static RebalanceWatch of(Rebalances rebalances, long id) {
        return new RebalanceWatch(rebalances, OptionalLong.of(id), 0);
    }

    static RebalanceWatch ofAll(Rebalances rebalances) {
        long ended = rebalances.list(LOOKED_AT).stream()
                .filter(RebalanceJob::isEnded)
                .mapToLong(RebalanceJob::id)
                .max()
                .orElse(0);
        return new RebalanceWatch(rebalances, OptionalLong.empty(), ended);
    }

    @Override
    public List<RebalanceJob> changes() {
        List<RebalanceJob> changed = new ArrayList<>();
        for (long id : watched()) {
            rebalances.status(id).filter(now -> !now.equals(told.put(id, now))).ifPresent(changed::add);
        }
        over = only.isPresent() && told.values().stream().allMatch(RebalanceJob::isEnded);
        return changed;
    }

    private List<Long> watched() {
        if (only.isPresent()) {
            return List.of(only.getAsLong());
        }
        return rebalances.list(LOOKED_AT).stream()
                .filter(job -> job.id() > ended)
                .filter(job -> {
                    RebalanceJob before = told.get(job.id());
                    return before == null || !before.isEnded();
                })
                .map(RebalanceJob::id)
                .toList();
    }

    @Override
    public boolean isOver() {
        return over;
    }

    /** Every look has a connection of its own. */
    @Override
    public void close() {
        told.clear();
    }
}
