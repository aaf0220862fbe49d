package dev.tenantry.control.move;

import dev.tenantry.blueprint.BlueprintStatement;
import dev.tenantry.blueprint.SchemaBlueprint;
import dev.tenantry.control.node.copy.Outcomes;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.ServerConnection;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** Makes what is made once the rows are there: indexes of different tables side by side, all else in its order. */
final class Building {

    private final MoveServices services;
    private final MoveConnections connections;

    Building(MoveServices services, MoveConnections connections) {
        this.services = services;
        this.connections = connections;
    }

    /**
     * Returns when all is there, with statistics. What was made before is left as it is.
     *
     * @param complete run as soon as all is there that rows are found by
     */
    void run(CopyPlan plan, Runnable complete) throws InterruptedException {
        try (ServerConnection first = open()) {
            for (Collection<List<BlueprintStatement>> step : steps(plan.afterData())) {
                build(first, new ConcurrentLinkedQueue<>(step));
            }
            Target.build(first, connections.names(), plan.contents());
            complete.run(); // what is gathered now need not be exact
            Target.analyze(first, plan.schema(), plan.writable());
        }
    }

    private ServerConnection open() {
        ServerConnection patient = services.openPatient(connections.targetAddress());
        boolean complete = false;
        try {
            SchemaBlueprint.settings().forEach(patient::query);
            complete = true;
        } finally {
            if (!complete) {
                patient.close();
            }
        }
        return patient;
    }

    /** By step, the statements of each object. */
    private static List<Collection<List<BlueprintStatement>>> steps(List<BlueprintStatement> statements) {
        Map<Integer, Map<String, List<BlueprintStatement>>> steps = statements.stream()
                .collect(Collectors.groupingBy(
                        BlueprintStatement::step,
                        LinkedHashMap::new,
                        Collectors.groupingBy(BlueprintStatement::object, LinkedHashMap::new, Collectors.toList())));
        return steps.values().stream().map(Map::values).toList();
    }

    private void build(ServerConnection first, Queue<List<BlueprintStatement>> objects) throws InterruptedException {
        int count = Math.min(services.limits().copyConnections(), objects.size());
        if (count == 1) {
            objects.forEach(statements -> Target.build(first, connections.names(), statements));
            return;
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ExecutorCompletionService<Integer> work = new ExecutorCompletionService<>(threads);
            for (int i = 0; i < count; i++) {
                work.submit(() -> buildOverAnother(objects));
            }
            try {
                for (int i = 0; i < count; i++) {
                    Outcomes.of(work.take());
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    /** Makes one after the other until none is left; returns how many that were. */
    private int buildOverAnother(Queue<List<BlueprintStatement>> objects) {
        int made = 0;
        try (ServerConnection patient = open()) {
            for (List<BlueprintStatement> next = objects.poll(); next != null; next = objects.poll()) {
                Target.build(patient, connections.names(), next);
                made++;
            }
        }
        return made;
    }
}
