package dev.tenantry.control.move;

import dev.tenantry.blueprint.BlueprintReader;
import dev.tenantry.blueprint.DefinitionChangedException;
import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a move up to the switch. Before the copy all begins from the start when it was interrupted; from then on
 * the servers go on by themselves, and what comes after the rows is noted with what it does.
 */
final class Forward {

    private static final String AUTO = "auto";
    private static final Duration LOOK_MIN = Duration.ofMillis(20);
    private static final Duration LOOK_MAX = Duration.ofMillis(250);
    private static final Duration BACK_OFF_MIN = Duration.ofMillis(100);
    private static final Duration BACK_OFF_MAX = Duration.ofSeconds(10);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveStore store;
    private final Source source;
    private final Target target;
    private MoveRow move;
    private Following progress;

    Forward(MoveServices services, MoveConnections connections, MoveRow move) {
        this.services = services;
        this.connections = connections;
        this.store = connections.store();
        this.source = connections.source();
        this.target = connections.target();
        this.move = move;
        this.progress = new Following(services, connections, move);
    }

    /** Returns when the schema is on its new node. */
    void run(MovePhase phase) throws InterruptedException {
        if (phase.isBefore(MovePhase.COPYING)) {
            create();
            store.enter(move, MovePhase.COPYING.text());
        }
        if (phase.isBefore(MovePhase.BUILDING)) {
            awaitCopy();
            store.enter(move, MovePhase.BUILDING.text());
        }
        if (phase.isBefore(MovePhase.VERIFYING)) {
            build();
            store.enter(move, MovePhase.VERIFYING.text());
        }
        target.follow();
        while (true) {
            String fingerprint = source.fingerprint(move.schema());
            CopyPlan plan = planOf();
            requireSame(plan);
            if (phase.isBefore(MovePhase.CUTTING_OVER)) {
                new Verification(services, connections, move, plan, progress).run();
                services.observer().reached(MovePoint.VERIFIED);
                store.enter(move, MovePhase.CUTTING_OVER.text());
                phase = MovePhase.CUTTING_OVER;
            }
            if (cutOver(plan, fingerprint)) {
                return;
            }
        }
    }

    private void create() throws InterruptedException {
        checkRoom();
        move = store.begin(move, MovePhase.CREATING.text());
        progress = new Following(services, connections, move);
        if (target.hasSchema(move.schema(), !connections.targetIsCoordinator())) {
            throw new MoveFailedException(
                    SqlStates.DUPLICATE_SCHEMA,
                    "schema \"%s\" already exists on node \"%s\""
                            .formatted(move.schema(), connections.targetPlace().name()),
                    "",
                    "Drop or rename what is there, and move the schema again.");
        }
        services.observer().reached(MovePoint.CREATION_NOTED);
        CopyPlan plan = planOf();
        checkRows(plan);
        connections.patientlyOnTarget(patient -> Target.create(patient, connections.names(), plan.beforeData()));
        services.observer().reached(MovePoint.DEFINITION_CREATED);
        widen(plan);
        services.observer().reached(MovePoint.IDENTITIES_WIDENED);
        source.publish(plan.schema(), plan.published());
        services.observer().reached(MovePoint.PUBLISHED);
        createSlot();
        services.observer().reached(MovePoint.SLOT_CREATED);
        target.subscribe(connections.sourceAddress());
        services.observer().reached(MovePoint.SUBSCRIBED);
    }

    private void checkRoom() {
        int slots = target.slotsMax();
        String full = !source.hasRoom(slots)
                ? connections.sourcePlace().name()
                : !target.hasRoom() ? connections.targetPlace().name() : "";
        if (!full.isEmpty()) {
            throw new MoveFailedException(
                    SqlStates.LIMIT_EXCEEDED,
                    "schema %s cannot be moved: node \"%s\" has no room for its replication"
                            .formatted(move.schema(), full),
                    "A move needs %d replication slots and senders on the source, and two workers and three origins"
                                    .formatted(slots)
                            + " on the target.",
                    "Wait for other moves to end, or increase max_replication_slots, max_wal_senders and"
                            + " max_logical_replication_workers there.");
        }
    }

    /** What logical replication can't carry. */
    private void checkRows(CopyPlan plan) {
        if (plan.unloggedBytes() > services.limits().heldBytesMax()) {
            throw CutOver.unloggedTooLarge(plan);
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
                            + " 'force_logical'.");
        }
    }

    /** Read again wherever it is needed: what is remembered may not be what is there. */
    private CopyPlan planOf() {
        AtomicReference<@Nullable SchemaBlueprint> read = new AtomicReference<>();
        if (!store.stands(move)) {
            throw new CopyInvalidException(
                    "schema %s was dropped, renamed or moved while it was being moved".formatted(move.schema()), "");
        }
        connections.patientlyOnSource(patient -> {
            try {
                read.set(BlueprintReader.read(patient, move.schema()));
            } catch (DefinitionChangedException changing) {
                throw new CopyInvalidException(
                        "schema %s was changed while it was being moved".formatted(move.schema()),
                        String.valueOf(changing.getMessage()));
            }
        });
        return new CopyPlan(Objects.requireNonNull(read.get()));
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
            Duration pause = BACK_OFF_MIN;
            while (!source.setIdentity(
                    plan.schema(), table, "FULL", services.limits().lockMax())) {
                store.waitsFor(move, source.users(plan.schema()));
                pause = backOff(pause);
            }
        }
    }

    /** PostgreSQL lets the slot wait for every transaction that writes; meanwhile it is said who they are. */
    private void createSlot() throws InterruptedException {
        Thread caller = Thread.currentThread();
        AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        Thread creation = Thread.ofVirtual().start(() -> {
            try {
                connections.patientlyOnSource(patient -> Source.createSlot(patient, connections.names()));
            } catch (RuntimeException failed) {
                failure.set(failed);
            }
        });
        try {
            while (!creation.join(LOOK_MAX)) {
                store.waitsFor(move, source.writers());
            }
        } finally {
            if (creation.isAlive()) {
                creation.interrupt();
                creation.join();
                if (!caller.isInterrupted()) {
                    source.dropSlot();
                }
            }
        }
        RuntimeException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
        store.waitsFor(move, Set.of());
    }

    private void awaitCopy() throws InterruptedException {
        Map<String, Long> sizes = source.sizes(move.schema());
        long total = sizes.values().stream().mapToLong(Long::longValue).sum();
        Pace pace = new Pace();
        Duration pause = LOOK_MIN;
        while (true) {
            Target.Copying copying = progress.requireEnabled();
            long bytes = copying.isDone() ? total : copying.bytes(sizes);
            pace.note(System.nanoTime(), total - bytes);
            store.copied(
                    move, new MoveStore.Copied(bytes, total, copying.there().size(), sizes.size()), pace.left());
            if (copying.isDone()) {
                services.observer().reached(MovePoint.COPIED);
                return;
            }
            source.mark(); // without anything to replicate, a table that has been copied is not joined to the others
            Thread.sleep(pause);
            pause = min(pause.multipliedBy(2), LOOK_MAX);
        }
    }

    /** Nothing is applied meanwhile: the two would wait for each other's locks. */
    private void build() throws InterruptedException {
        target.rest();
        CopyPlan plan = planOf();
        while (!target.isResting()) {
            Thread.sleep(LOOK_MIN);
        }
        connections.patientlyOnTarget(patient -> {
            Target.build(patient, connections.names(), plan.afterData());
            Target.build(patient, connections.names(), plan.contents());
            Target.analyze(patient, plan.schema(), plan.writable());
        });
        services.observer().reached(MovePoint.BUILT);
    }

    /** Compares the definition with that of the copy. */
    private void requireSame(CopyPlan plan) {
        AtomicReference<@Nullable SchemaBlueprint> copy = new AtomicReference<>();
        connections.patientlyOnTarget(patient -> copy.set(BlueprintReader.read(patient, plan.schema())));
        List<String> widened = move.widened().stream()
                .map(text -> Identity.parse(text).table())
                .toList();
        List<String> differences = new CopyPlan(plan.blueprint().withoutReplicaIdentity(widened))
                .differences(Objects.requireNonNull(copy.get()).withoutReplicaIdentity(widened));
        if (!differences.isEmpty()) {
            throw new CopyInvalidException(
                    "schema %s was changed while it was being moved".formatted(plan.schema()),
                    "On the target, " + String.join(", ", differences) + ".");
        }
    }

    /** Tries until it succeeds; false if the definition has to be compared again. */
    private boolean cutOver(CopyPlan plan, String fingerprint) throws InterruptedException {
        CutOver cutOver = new CutOver(services, connections, move, plan);
        Duration pause = BACK_OFF_MIN;
        while (true) {
            progress.awaitNear();
            if (cutOver.attempt(fingerprint)) {
                return true;
            }
            store.waitsFor(move, cutOver.inTheWay());
            if (cutOver.hasDefinitionChanged()) {
                return false;
            }
            pause = backOff(pause);
        }
    }

    /** Waits for a while that is longer each time, and never the same for two moves. */
    private static Duration backOff(Duration pause) throws InterruptedException {
        Thread.sleep(pause.plusMillis(ThreadLocalRandom.current().nextLong(1 + pause.toMillis() / 2)));
        return min(pause.multipliedBy(2), BACK_OFF_MAX);
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
