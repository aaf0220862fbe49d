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
 * Makes the plans that SQL functions ask for, and does rebalances step by step, in whichever proxy has the lead by the
 * catalog. Every step is one transaction of the catalog, so whoever leads next goes on from there; the
 * moves themselves are those of {@code control.move}.
 */
public final class RebalanceRunner implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(RebalanceRunner.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

    /** Ends what is asked before nobody waits for it any more: the lead would stay with it. */
    private static final String STATEMENT_MAX = "SET statement_timeout = '50s'";

    private static final Duration REST = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final String AUTOMATIC = "Automatic rebalance";

    /** Who has not looked for longer than this past the time does not know how the nodes were meanwhile. */
    private static final Duration LATE_MAX = Duration.ofMinutes(1);

    /** How long the proxy that leads may say nothing before another may. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);

    private final Vertx vertx;
    private final CoordinatorAddress coordinator;
    private final int movesPerNode;
    private final RebalanceLimits limits;
    private final Optional<AutomaticRebalance> automatic;
    private Instant lookNext = Instant.EPOCH;
    private String obstacle = "";
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
            connection.endTimeouts();
            connection.query(STATEMENT_MAX);
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
        store.questions().forEach(question -> answer(store, question));
        Step step = store.step(movesPerNode);
        if (step == Step.PLAN) {
            replan(store);
        } else if (Instant.now().isAfter(lookNext)) {
            look(store, step);
        }
        return step != Step.REST;
    }

    private void look(RebalanceStore store, Step step) {
        Instant now = Instant.now();
        boolean late = now.isAfter(lookNext.plus(LATE_MAX));
        lookNext = now.plus(limits.interval());
        automatic.ifPresent(rule -> {
            if (late) {
                rule.forget();
            }
            follow(store, rule, step);
        });
    }

    private static void answer(RebalanceStore store, Question question) {
        try {
            store.answer(question.id(), PlanDocuments.answer(question.input()));
        } catch (StatementRefusedException refused) {
            LOG.warnf("plan can't be told question=%d reason=%s", question.id(), refused.error());
        }
    }

    private void follow(RebalanceStore store, AutomaticRebalance rule, Step step) {
        Instant now = Instant.now();
        if (step == Step.REST && rule.mayBegin(now, store.lastEnded())) {
            try {
                begin(store, rule, now);
                obstacle = "";
            } catch (StatementRefusedException refused) {
                cannotBegin(refused.error());
            } catch (IllegalArgumentException unusable) {
                cannotBegin(String.valueOf(unusable.getMessage()));
            }
        } else if (step == Step.LOOK) {
            rule.forget();
            if (!rule.mayGoOn(now)) {
                store.beginNoMore(AUTOMATIC, "the window has ended");
            }
        }
    }

    /** Says so once, not at every look. */
    private void cannotBegin(String why) {
        if (!why.equals(obstacle)) {
            LOG.warnf("rebalance can't begin by itself reason=%s", why);
            obstacle = why;
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
            rule.forget();
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
