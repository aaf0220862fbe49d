package dev.tenantry.control.rebalance;

import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.control.rebalance.plan.AutomaticRebalance;
import dev.tenantry.control.rebalance.plan.Plan;
import dev.tenantry.control.rebalance.plan.RebalancePlanner;
import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.rebalance.RebalanceStore;
import dev.tenantry.store.rebalance.RebalanceStore.Question;
import dev.tenantry.store.rebalance.RebalanceStore.Replanning;
import dev.tenantry.store.rebalance.RebalanceStore.Step;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * Makes the plans that SQL functions ask for, and does rebalances step by step, in whichever proxy holds an advisory
 * lock of the coordinator. Every step is one transaction of the catalog, so whoever leads next goes on from there; the
 * moves themselves are those of {@code control.move}.
 */
public final class RebalanceRunner implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(RebalanceRunner.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);
    private static final Duration REST = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final String AUTOMATIC = "Automatic rebalance";

    /** How long the proxy that leads may say nothing before another may. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final int movesPerNode;
    private final RebalanceLimits limits;
    private final Optional<AutomaticRebalance> automatic;
    private Instant lookNext = Instant.EPOCH;
    private final BackgroundLoop loop = new BackgroundLoop("rebalances", REST, this::follow);

    /**
     * Makes one that does nothing until started.
     *
     * @param movesPerNode how many moves may use a node at a time
     * @param limits when it begins by itself
     */
    public RebalanceRunner(Vertx vertx, CoordinatorAddress coordinator, int movesPerNode, RebalanceLimits limits) {
        this.vertx = vertx;
        this.coordinator = coordinator;
        this.movesPerNode = movesPerNode;
        this.limits = limits;
        this.automatic = limits.automatic().map(AutomaticRebalance::new);
    }

    /** Begins, at once. */
    public void start() {
        loop.start();
    }

    /** Leaves a rebalance as it is. */
    @Override
    public void close() {
        loop.close();
    }

    private void follow(BackgroundLoop looping) throws InterruptedException {
        try (ServerConnection connection = ServerConnection.open(vertx, coordinator, ANSWER_MAX)) {
            connection.onNotification(payload -> looping.wake());
            new CatalogStore(connection).endWhenSilent(SILENCE_MAX);
            RebalanceStore store = new RebalanceStore(connection);
            store.listen();
            while (!looping.isClosed()) {
                boolean busy = store.lead() && round(store);
                looping.pause(busy ? LOOK : REST);
            }
        }
    }

    /** Whether there is more to do soon. */
    private boolean round(RebalanceStore store) {
        for (Question question : store.questions()) {
            store.answer(question.id(), PlanDocuments.answer(question.input()));
        }
        Step step = store.step(movesPerNode);
        if (step == Step.PLAN) {
            replan(store);
        } else if (Instant.now().isAfter(lookNext)) {
            lookNext = Instant.now().plus(limits.interval());
            automatic.ifPresent(rule -> follow(store, rule, step));
        }
        return step != Step.REST;
    }

    private static void follow(RebalanceStore store, AutomaticRebalance rule, Step step) {
        Instant now = Instant.now();
        if (step == Step.REST && rule.mayBegin(now, store.lastEnded())) {
            begin(store, rule, now);
        } else if (step == Step.LOOK && !rule.mayGoOn(now)) {
            store.beginNoMore(AUTOMATIC, "the window has ended");
        }
    }

    private static void begin(RebalanceStore store, AutomaticRebalance rule, Instant now) {
        JsonObject options = store.options(new JsonObject()).put("description", AUTOMATIC);
        String nodes = store.nodes();
        Plan plan = RebalancePlanner.plan(PlanDocuments.input(store.input(options)));
        if (rule.isDue(now, plan.forecast()) && !plan.moves().isEmpty()) {
            LOG.infof(
                    "rebalance begins by itself job=%d imbalance=%.2f",
                    store.schedule(options, PlanDocuments.document(plan), nodes),
                    AutomaticRebalance.imbalance(plan.forecast()));
        }
    }

    private static void replan(RebalanceStore store) {
        try {
            for (Replanning old : store.replanning()) {
                JsonObject plan = PlanDocuments.answer(old.input());
                if (plan.containsKey("error")) {
                    store.fail(plan.getString("error"));
                } else {
                    store.replan(old, plan);
                    LOG.infof("rebalance planned anew, because nodes have changed job=%d", old.jobId());
                }
            }
        } catch (StatementRefusedException refused) {
            LOG.warnf("rebalance can't be planned anew sqlstate=%s reason=%s", refused.sqlState(), refused.error());
            store.fail(refused.error());
        }
    }
}
