package dev.tenantry.control;

import dev.tenantry.commit.RecoveryRule;
import dev.tenantry.store.PostgresCatalogFeed;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** What the control plane counts. Safe from any thread. */
final class ControlMetrics {

    private final AtomicBoolean leads = new AtomicBoolean();
    private final Map<RecoveryRule.Action, Counter> finished = new EnumMap<>(RecoveryRule.Action.class);

    /** Registers the meters. */
    ControlMetrics(MeterRegistry registry, PostgresCatalogFeed feed) {
        TimeGauge.builder("tenantry.catalog.age", feed, TimeUnit.SECONDS, ControlMetrics::age)
                .description("Since the coordinator last confirmed the catalog that this proxy works by")
                .register(registry);
        Gauge.builder("tenantry.schemas", feed, ControlMetrics::schemas)
                .description("Distributed schemas in the catalog that this proxy works by")
                .register(registry);
        Gauge.builder("tenantry.leader", leads, leader -> leader.get() ? 1 : 0)
                .description("1 when this proxy is the one that looks after the cluster, else 0")
                .register(registry);
        for (RecoveryRule.Action action :
                new RecoveryRule.Action[] {RecoveryRule.Action.COMMIT_PREPARED, RecoveryRule.Action.ROLLBACK_PREPARED
                }) {
            finished.put(
                    action,
                    Counter.builder("tenantry.prepared.finished")
                            .description("Prepared transactions that this proxy finished after the death of another")
                            .tag("action", action.name().toLowerCase(Locale.ROOT))
                            .register(registry));
        }
    }

    private static double age(PostgresCatalogFeed feed) {
        return feed.hasSnapshot()
                ? Duration.between(feed.lastContact(), Instant.now()).toMillis() / 1000.0
                : Double.NaN;
    }

    private static double schemas(PostgresCatalogFeed feed) {
        return feed.hasSnapshot() ? feed.current().schemas().size() : Double.NaN;
    }

    /** Whether this proxy looks after the cluster. */
    void leads(boolean now) {
        leads.set(now);
    }

    /** A prepared transaction was finished. */
    void finished(RecoveryRule.Action action) {
        Counter counter = finished.get(action);
        if (counter != null) {
            counter.increment();
        }
    }
}
