package dev.tenantry.control.rebalance;

import dev.tenantry.control.rebalance.plan.Plan;
import dev.tenantry.control.rebalance.plan.RebalancePlanner;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.rebalance.RebalanceJob;
import dev.tenantry.store.rebalance.RebalanceStore;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Rebalances as programs ask for them, with a superuser's rights: who may ask is for the caller to decide. The work is
 * done by whichever proxy leads. Blocks; may be used from any number of virtual threads. What the catalog refuses
 * comes as {@link dev.tenantry.store.StatementRefusedException} with the error that SQL would give, a coordinator that
 * is away as {@link dev.tenantry.store.CatalogUnavailableException}.
 */
public final class Rebalances {

    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;

    /** Asks that coordinator. */
    public Rebalances(Vertx vertx, CoordinatorAddress coordinator) {
        this.vertx = vertx;
        this.coordinator = coordinator;
    }

    /**
     * What a rebalance would do, and what every node would hold then; nothing is moved.
     *
     * @throws IllegalArgumentException if the strategy gives costs or capacities that can't be used
     */
    public Plan plan(RebalanceOptions options) {
        return asking(store -> RebalancePlanner.plan(PlanDocuments.input(store.input(document(store, options)))));
    }

    /**
     * Starts a rebalance; returns its number, or nothing if there is nothing to move. Refused (55006) while another one
     * runs.
     *
     * @throws IllegalArgumentException if the strategy gives costs or capacities that can't be used
     */
    public OptionalLong start(RebalanceOptions options) {
        return asking(store -> {
            store.requireNone();
            JsonObject document = document(store, options);
            String nodes = store.nodes();
            Plan plan = RebalancePlanner.plan(PlanDocuments.input(store.input(document)));
            return plan.moves().isEmpty()
                    ? OptionalLong.empty()
                    : OptionalLong.of(store.schedule(document, PlanDocuments.document(plan), nodes));
        });
    }

    /** A rebalance with its moves, running or ended. */
    public Optional<RebalanceJob> status(long jobId) {
        return asking(store -> store.job(jobId));
    }

    /** The rebalances there were, the latest first, without their moves. */
    public List<RebalanceJob> list(int limit) {
        return asking(store -> store.jobs(limit));
    }

    /**
     * Ends a rebalance: what runs and has not switched is undone, in the background. Returns false if it had ended.
     */
    public boolean stop(long jobId) {
        return asking(store -> store.cancel(jobId));
    }

    private static JsonObject document(RebalanceStore store, RebalanceOptions options) {
        JsonObject asked = new JsonObject()
                .put("drain", options.drainOnly())
                .put("mode", options.mode().name().toLowerCase(Locale.ROOT));
        options.strategy().ifPresent(name -> asked.put("strategy", name));
        options.threshold().ifPresent(threshold -> asked.put("threshold", threshold));
        options.improvement().ifPresent(improvement -> asked.put("improvement", improvement));
        return store.options(asked);
    }

    private <T> T asking(Function<RebalanceStore, T> question) {
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
            return question.apply(new RebalanceStore(connection));
        }
    }
}
