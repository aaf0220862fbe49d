package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.Outcomes;
import dev.tenantry.control.node.copy.SlotSnapshot;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;

/**
 * The steps of a move up to the switch. Until the rows are there all begins from the start when it was interrupted;
 * what comes after them is noted with what it does.
 */
final class Forward {

    private static final String AUTO = "auto";
    private static final Duration LOOK_MAX = Duration.ofMillis(250);
    private static final Duration BACK_OFF_MIN = Duration.ofMillis(100);
    private static final Duration BACK_OFF_MAX = Duration.ofSeconds(10);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveStore store;
    private final Source source;
    private final Target target;
    private final Definitions definitions;
    private MoveRow move;
    private Following progress;

    Forward(MoveServices services, MoveConnections connections, MoveRow move) {
        this.services = services;
        this.connections = connections;
        this.store = connections.store();
        this.source = connections.source();
        this.target = connections.target();
        this.definitions = new Definitions(connections);
        this.move = move;
        this.progress = new Following(services, connections, move);
    }

    /** Returns when the schema is on its new node. */
    void run(MovePhase phase) throws InterruptedException {
        if (phase.isBefore(MovePhase.BUILDING)) {
            copy();
            store.enter(move, MovePhase.BUILDING.text());
        }
        if (phase.isBefore(MovePhase.VERIFYING)) {
            build();
            store.enter(move, MovePhase.VERIFYING.text());
        }
        target.follow();
        Backoff backoff = new Backoff(BACK_OFF_MIN, BACK_OFF_MAX);
        while (true) {
            String fingerprint = source.fingerprint(move.schema());
            requireCopiedTables();
            CopyPlan plan = definitions.onSource(move);
            definitions.requireSame(move, plan);
            if (phase.isBefore(MovePhase.CUTTING_OVER)) {
                new Verification(services, connections, move, plan, progress).run();
                services.observer().reached(MovePoint.VERIFIED);
                store.enter(move, MovePhase.CUTTING_OVER.text());
                phase = MovePhase.CUTTING_OVER;
            }
            if (cutOver(plan, fingerprint)) {
                return;
            }
            backoff.sleepUnevenly();
        }
    }

    private void requireCopiedTables() {
        requireTables(target.hasCopied(source.tables(move.schema())));
    }

    /** What has become of tables that were made or written anew is not known, however much they look the same. */
    private void requireTables(boolean same) {
        if (!same) {
            throw CopyInvalidException.changed(
                    move.schema(), "Tables of it were made anew, or columns altered, after the copy was begun.");
        }
    }

    private void copy() throws InterruptedException {
        checkRoom();
        move = store.begin(move, MovePhase.CREATING.text());
        progress = new Following(services, connections, move);
        definitions.requireVacancy(move);
        services.observer().reached(MovePoint.CREATION_NOTED);
        String tables = source.tables(move.schema());
        CopyPlan plan = definitions.onSource(move);
        checkRows(plan);
        connections.patientlyOnTarget(patient ->
                Target.create(patient, connections.names(), move.attempt(), plan.schema(), plan.beforeData()));
        services.observer().reached(MovePoint.DEFINITION_CREATED);
        widen(plan);
        services.observer().reached(MovePoint.IDENTITIES_WIDENED);
        publish(plan);
        services.observer().reached(MovePoint.PUBLISHED);
        try (SlotSnapshot slot = connections.slotSnapshot()) {
            String snapshot = create(slot);
            services.observer().reached(MovePoint.SLOT_CREATED);
            subscribe();
            services.observer().reached(MovePoint.SUBSCRIBED);
            store.enter(move, MovePhase.COPYING.text());
            new Copying(services, connections, move)
                    .run(plan.schema(), plan.publishedColumns(), plan.guarded(), snapshot);
        }
        requireTables(source.tables(plan.schema()).equals(tables));
        target.copied(tables);
        services.observer().reached(MovePoint.COPIED);
    }

    private void subscribe() {
        try {
            target.subscribe(connections.sourceAddress());
        } catch (CatalogUnavailableException lost) {
            if (!lost.sqlState().equals(SqlStates.CONNECTION_FAILURE)) {
                throw lost;
            }
            source.logsChanges(); // throws if it has gone itself, and may come back
            throw new MoveFailedException(
                    SqlStates.CONNECTION_FAILURE,
                    "schema %s cannot be moved: node \"%s\" can't connect to node \"%s\" to replicate it"
                            .formatted(
                                    move.schema(),
                                    connections.targetPlace().name(),
                                    connections.sourcePlace().name()),
                    String.valueOf(lost.getMessage()),
                    "Nodes must reach each other at the addresses in citus_nodes, as the control plane's role.");
        }
    }

    private void checkRoom() {
        if (!source.logsChanges()) {
            throw new MoveFailedException(
                    SqlStates.NOT_IN_PREREQUISITE_STATE,
                    "schema %s cannot be moved while it is written to: wal_level of node \"%s\" is not logical"
                            .formatted(move.schema(), connections.sourcePlace().name()),
                    "Without it, nothing tells of what is written while the rows are copied.",
                    "Set wal_level to logical and restart the server, or set the shard_transfer_mode to"
                            + " 'block_writes'.");
        }
        String full = !source.hasRoom()
                ? connections.sourcePlace().name()
                : !target.hasRoom() ? connections.targetPlace().name() : "";
        if (!full.isEmpty()) {
            throw new MoveFailedException(
                    SqlStates.LIMIT_EXCEEDED,
                    "schema %s cannot be moved: node \"%s\" has no room for its replication"
                            .formatted(move.schema(), full),
                    "A move needs a replication slot and a sender on the source, a worker and an origin on the target.",
                    "Wait for other moves to end, or increase max_replication_slots, max_wal_senders and"
                            + " max_logical_replication_workers there.");
        }
    }

    /** What logical replication can't carry. */
    private void checkRows(CopyPlan plan) {
        GuardedLimits guarded = new GuardedLimits(plan, target.majorVersion());
        guarded.check();
        guarded.checkFollowed();
        if (plan.unloggedBytes() > services.limits().heldBytesMax()) {
            throw FollowedTables.unloggedTooLarge(plan);
        }
        List<String> incomparable = plan.withoutKey().stream()
                .filter(table -> source.hasIncomparable(plan.schema(), table))
                .toList();
        if (!incomparable.isEmpty() && move.mode().equals(AUTO)) {
            throw new MoveFailedException(
                    SqlStates.FEATURE_NOT_SUPPORTED,
                    ("cannot use logical replication to transfer shards of the relation %s since it doesn't have a"
                                    + " REPLICA IDENTITY or PRIMARY KEY")
                            .formatted(incomparable.getFirst()),
                    "It has a column of a type without equality, so that UPDATE and DELETE commands on it could not"
                            + " be followed.",
                    "If nobody updates or deletes its rows meanwhile, set the shard_transfer_mode to"
                            + " 'force_logical'; if writers may wait, to 'block_writes'.");
        }
    }

    /** Tables without a key name their rows by all columns while they are published. */
    private void widen(CopyPlan plan) throws InterruptedException {
        List<String> tables = plan.withoutKey();
        if (tables.isEmpty()) {
            return;
        }
        List<String> before = new ArrayList<>();
        for (String table : tables) {
            before.add(new Identity(table, source.identity(plan.schema(), table)).text());
        }
        move = store.widens(move, before);
        for (String table : tables) {
            Backoff backoff = new Backoff(BACK_OFF_MIN, BACK_OFF_MAX);
            while (!source.setIdentity(
                    plan.schema(), table, "FULL", services.limits().lockMax())) {
                store.waitsFor(move, source.users(plan.schema()));
                backoff.sleepUnevenly();
            }
        }
    }

    /** Waits for whoever alters, vacuums or builds indexes of one of the tables. */
    private void publish(CopyPlan plan) throws InterruptedException {
        Backoff backoff = new Backoff(BACK_OFF_MIN, BACK_OFF_MAX);
        while (!source.publish(
                plan.schema(), plan.published(), services.limits().lockMax())) {
            store.waitsFor(move, source.users(plan.schema()));
            backoff.sleepUnevenly();
        }
    }

    /** PostgreSQL lets the slot wait for every transaction that writes; meanwhile it is said who they are. */
    private String create(SlotSnapshot slot) throws InterruptedException {
        FutureTask<String> creation = new FutureTask<>(slot::create);
        Thread creator = Thread.ofVirtual().start(creation);
        try {
            while (!creator.join(LOOK_MAX)) {
                store.waitsFor(move, source.writers());
            }
        } finally {
            if (creator.isAlive()) {
                slot.close();
                creator.interrupt();
                creator.join();
            }
        }
        store.waitsFor(move, Set.of());
        return Outcomes.of(creation);
    }

    private void build() throws InterruptedException {
        requireCopiedTables();
        try {
            new Building(services, connections).run(definitions.onSource(move), target::follow);
        } catch (StatementRefusedException refused) {
            requireCopiedTables(); // or it was for want of a table that is called otherwise here
            if (refused.sqlState().equals(SqlStates.DUPLICATE_OBJECT)) {
                // What is guarded now has its constraints made later than what was not when it was copied.
                throw CopyInvalidException.changed(move.schema(), String.valueOf(refused.getMessage()));
            }
            throw refused;
        }
        services.observer().reached(MovePoint.BUILT);
    }

    /** Tries until it succeeds; false if the definition has to be compared again. */
    private boolean cutOver(CopyPlan plan, String fingerprint) throws InterruptedException {
        CutOver cutOver =
                new CutOver(services, connections, move, plan, new FollowedTables(connections, move, plan, progress));
        Backoff backoff = new Backoff(BACK_OFF_MIN, BACK_OFF_MAX);
        while (true) {
            progress.awaitNear();
            if (cutOver.attempt(fingerprint)) {
                return true;
            }
            store.waitsFor(move, cutOver.inTheWay());
            if (cutOver.hasDefinitionChanged()) {
                return false;
            }
            backoff.sleepUnevenly();
        }
    }
}
