package dev.tenantry.control.rebalance.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** What holds of every plan, over random clusters; {@code -Dseed} repeats one. */
class RandomPlansTest {

    private static final double ROUNDING = 1e-9;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);

    @RepeatedTest(300)
    void balanceGetsNoWorse() {
        PlanInput input = input(0.3, true);
        Plan plan = RebalancePlanner.plan(input);
        List<Double> before = utilizations(plan, false);
        List<Double> after = utilizations(plan, true);
        if (plan.moves().isEmpty()) {
            assertThat(after).as("seed %d", seed).isEqualTo(before);
        } else {
            assertThat(after.getFirst()).as("seed %d", seed).isLessThanOrEqualTo(before.getFirst() * (1 + ROUNDING));
        }
    }

    @RepeatedTest(300)
    void everyMoveOfABalanceLowersTheFullerOfItsNodes() {
        PlanInput input = input(0.1, true);
        Plan plan = RebalancePlanner.plan(input);
        double[] costs = new double[input.nodes().size() + 1];
        double[] capacities = new double[costs.length];
        input.schemas().forEach(schema -> costs[schema.nodeId()] += schema.cost());
        input.nodes().forEach(node -> capacities[node.nodeId()] = node.capacity());
        if (input.nodes().size() != 2) {
            return; // a schema that passed by a third node has left no trace
        }
        for (PlannedMove move : plan.moves()) {
            int source = move.sourceNodeId();
            int target = move.targetNodeId();
            double full = costs[source] / capacities[source];
            costs[source] -= move.schema().cost();
            costs[target] += move.schema().cost();
            assertThat(costs[target] / capacities[target]).as("seed %d", seed).isLessThan(full * (1 + ROUNDING));
        }
    }

    @RepeatedTest(300)
    void planningAgainOnTheResultFindsNothing() {
        PlanInput input = input(0.1, false);
        Plan plan = RebalancePlanner.plan(input);
        assertThat(RebalancePlanner.plan(carriedOut(input, plan)).moves())
                .as("seed %d", seed)
                .isEmpty();
    }

    @RepeatedTest(300)
    void schemasKeptTogetherEndOnOneNodeUnlessTheyAreHeldElsewhere() {
        PlanInput plain = input(0.1, true);
        List<Set<Long>> together = List.of(some(plain), some(plain));
        PlanInput input = new PlanInput(plain.nodes(), plain.schemas(), together, List.of(), plain.limits());
        PlanInput result = carriedOut(input, RebalancePlanner.plan(input));
        for (Set<Long> group : together) {
            boolean free = input.schemas().stream().noneMatch(PlanSchema::fixed);
            if (free) {
                assertThat(result.schemas().stream()
                                .filter(schema -> group.contains(schema.id()))
                                .map(PlanSchema::nodeId)
                                .distinct())
                        .as("seed %d", seed)
                        .hasSizeLessThanOrEqualTo(1);
            }
        }
        assertThat(RebalancePlanner.plan(result).moves()).as("seed %d", seed).isEmpty();
    }

    /** A node that is too full has a schema that helps if each costs less than half of what is too much. */
    @RepeatedTest(300)
    void endsWithinTheThresholdWhenSchemasAreSmall() {
        List<PlanNode> nodes = nodes(false, 1);
        double threshold = 0.1 + random.nextDouble() / 2;
        List<PlanSchema> schemas = new ArrayList<>();
        for (int i = 0; i < nodes.size() * 60; i++) {
            schemas.add(schema(i, nodes.get(random.nextInt(nodes.size())).nodeId(), 1 + random.nextInt(2)));
        }
        double average = schemas.stream().mapToDouble(PlanSchema::cost).sum() / nodes.size();
        PlanInput input = new PlanInput(
                nodes,
                schemas,
                List.of(),
                List.of(),
                new PlanLimits(threshold, random.nextDouble(), Integer.MAX_VALUE, false));
        for (NodeForecast node : RebalancePlanner.plan(input).forecast()) {
            assertThat(node.after().cost())
                    .as("seed %d", seed)
                    .isBetween(average * (1 - threshold) - ROUNDING, average * (1 + threshold) + ROUNDING);
        }
    }

    @RepeatedTest(300)
    void nothingStaysWhereItMayNotBeUnlessItIsSaid() {
        PlanInput plain = input(0.1, false);
        PlanInput input = new PlanInput(
                plain.nodes(),
                plain.schemas(),
                random.nextBoolean() ? List.of() : List.of(some(plain), some(plain)),
                random.nextBoolean() ? List.of() : List.of(some(plain)),
                new PlanLimits(0.1, random.nextDouble(), Integer.MAX_VALUE, random.nextBoolean()));
        Plan plan = RebalancePlanner.plan(input);
        PlanInput result = carriedOut(input, plan);
        Set<Integer> closed = new HashSet<>();
        input.nodes().stream().filter(node -> node.capacity() == 0).forEach(node -> closed.add(node.nodeId()));
        Set<Long> stuck = new HashSet<>();
        plan.stuck().forEach(schema -> stuck.add(schema.id()));
        for (PlanSchema schema : result.schemas()) {
            if (closed.contains(schema.nodeId()) || schema.forbidden().contains(schema.nodeId()) && !schema.fixed()) {
                assertThat(stuck).as("seed %d", seed).contains(schema.id());
            }
        }
        for (PlannedMove move : plan.moves()) {
            assertThat(move.schema().fixed()).as("seed %d", seed).isFalse();
            assertThat(move.schema().forbidden()).as("seed %d", seed).doesNotContain(move.targetNodeId());
            assertThat(closed).as("seed %d", seed).doesNotContain(move.targetNodeId());
            assertThat(move.targetNodeId()).as("seed %d", seed).isNotEqualTo(move.sourceNodeId());
        }
    }

    @RepeatedTest(100)
    void schemasKeptApartAreNeverBroughtTogether() {
        PlanInput plain = input(0.1, false);
        List<Set<Long>> apart = List.of(some(plain), some(plain));
        PlanInput input = new PlanInput(plain.nodes(), plain.schemas(), List.of(), apart, plain.limits());
        Plan plan = RebalancePlanner.plan(input);
        PlanInput result = carriedOut(input, plan);
        assertThat(RebalancePlanner.plan(result).moves()).as("seed %d", seed).isEmpty();
        for (Set<Long> group : apart) {
            for (PlannedMove move : plan.moves()) {
                if (group.contains(move.schema().id())) {
                    assertThat(result.schemas().stream()
                                    .filter(schema -> group.contains(schema.id()))
                                    .filter(schema -> schema.nodeId() == move.targetNodeId()))
                            .as("seed %d", seed)
                            .hasSize(1);
                }
            }
        }
    }

    @Test
    void tenThousandSchemasArePlannedInASecond() {
        List<PlanNode> nodes =
                IntStream.rangeClosed(1, 20).mapToObj(id -> new PlanNode(id, 1)).toList();
        List<PlanSchema> schemas = IntStream.range(0, 10_000)
                .mapToObj(id -> schema(id, 1 + id % 10, 1 + random.nextInt(1_000_000)))
                .toList();
        long begun = System.nanoTime();
        Plan plan = RebalancePlanner.plan(new PlanInput(
                nodes, schemas, List.of(), List.of(), new PlanLimits(0.1, 0.5, Integer.MAX_VALUE, false)));
        assertThat(plan.moves()).isNotEmpty();
        assertThat(System.nanoTime() - begun).isLessThan(5_000_000_000L);
    }

    private Set<Long> some(PlanInput input) {
        Set<Long> ids = new HashSet<>();
        input.schemas().stream().filter(schema -> random.nextInt(5) == 0).forEach(schema -> ids.add(schema.id()));
        return ids;
    }

    /** A random cluster; {@code gentle} has nothing that must move. */
    private PlanInput input(double threshold, boolean gentle) {
        List<PlanNode> nodes = nodes(!gentle, 4);
        List<PlanSchema> schemas = new ArrayList<>();
        int count = random.nextInt(40);
        int fixedOneOf = random.nextBoolean() ? 10 : Integer.MAX_VALUE;
        for (int i = 0; i < count; i++) {
            int nodeId = nodes.get(random.nextInt(nodes.size())).nodeId();
            Set<Integer> forbidden = new HashSet<>();
            while (!gentle && random.nextInt(4) == 0) {
                forbidden.add(nodes.get(random.nextInt(nodes.size())).nodeId());
            }
            double cost = Math.exp(random.nextDouble() * 20);
            schemas.add(
                    new PlanSchema(i, "s" + i, nodeId, cost, (long) cost, random.nextInt(fixedOneOf) == 0, forbidden));
        }
        return new PlanInput(
                nodes,
                schemas,
                List.of(),
                List.of(),
                new PlanLimits(threshold, random.nextDouble(), Integer.MAX_VALUE, false));
    }

    private List<PlanNode> nodes(boolean someClosed, int capacityMax) {
        int count = 1 + random.nextInt(6);
        return IntStream.rangeClosed(1, count)
                .mapToObj(id -> new PlanNode(
                        id, someClosed && id > 1 && random.nextInt(4) == 0 ? 0 : 1 + random.nextInt(capacityMax)))
                .toList();
    }

    private static PlanSchema schema(long id, int nodeId, double cost) {
        return new PlanSchema(id, "s" + id, nodeId, cost, (long) cost, false, Set.of());
    }

    private static PlanInput carriedOut(PlanInput input, Plan plan) {
        Map<Long, Integer> targets = new HashMap<>();
        plan.moves().forEach(move -> targets.put(move.schema().id(), move.targetNodeId()));
        List<PlanSchema> schemas = input.schemas().stream()
                .map(schema -> new PlanSchema(
                        schema.id(),
                        schema.name(),
                        targets.getOrDefault(schema.id(), schema.nodeId()),
                        schema.cost(),
                        schema.bytes(),
                        schema.fixed(),
                        schema.forbidden()))
                .toList();
        return new PlanInput(input.nodes(), schemas, input.together(), input.apart(), input.limits());
    }

    private static List<Double> utilizations(Plan plan, boolean after) {
        return plan.forecast().stream()
                .map(node -> (after ? node.after() : node.before()).cost()
                        / node.node().capacity())
                .sorted(java.util.Comparator.reverseOrder())
                .toList();
    }
}
