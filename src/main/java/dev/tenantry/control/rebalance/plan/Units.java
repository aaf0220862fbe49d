package dev.tenantry.control.rebalance.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Makes units of schemas: each by itself, or with those that have to be on one node with it. Lives in one plan. */
final class Units {

    /** Costs become whole numbers whose sum is below 2 to the power of this. */
    private static final int SUM_BITS = 50;

    private final PlanInput input;
    private final Map<Integer, Integer> places = new HashMap<>();
    private final Map<Long, PlanSchema> schemas = new TreeMap<>();
    private final Map<Long, Long> leaders = new HashMap<>();
    private final Map<Long, Set<Integer>> apart = new HashMap<>();
    private final double scale;

    private Units(PlanInput input) {
        this.input = input;
        for (int place = 0; place < input.nodes().size(); place++) {
            places.put(input.nodes().get(place).nodeId(), place);
        }
        input.schemas().stream()
                .filter(schema -> places.containsKey(schema.nodeId()))
                .forEach(schema -> schemas.put(schema.id(), schema));
        double sum = schemas.values().stream().mapToDouble(PlanSchema::cost).sum();
        this.scale = Math.scalb(1.0, SUM_BITS - 1 - Math.getExponent(Math.max(sum, Double.MIN_NORMAL)));
        for (int group = 0; group < input.apart().size(); group++) {
            for (long id : input.apart().get(group)) {
                apart.computeIfAbsent(id, schema -> new HashSet<>()).add(group);
            }
        }
    }

    /** All schemas on nodes that take part, each in one unit, with its place. */
    static List<Unit> of(PlanInput input) {
        return new Units(input).make();
    }

    private List<Unit> make() {
        for (Set<Long> group : input.together()) {
            List<Long> known =
                    group.stream().filter(schemas::containsKey).sorted().toList();
            known.forEach(id -> join(known.getFirst(), id));
        }
        Map<Long, List<PlanSchema>> members = new TreeMap<>();
        schemas.values()
                .forEach(schema -> members.computeIfAbsent(leader(schema.id()), id -> new ArrayList<>())
                        .add(schema));
        List<Unit> units = new ArrayList<>();
        for (List<PlanSchema> those : members.values()) {
            long held = those.stream()
                    .filter(PlanSchema::fixed)
                    .map(PlanSchema::nodeId)
                    .distinct()
                    .count();
            if (held > 1) {
                // They are held where they are, on several nodes: the rule can't be kept.
                those.forEach(schema -> units.add(unit(List.of(schema))));
            } else if (held == 1 && !mayJoin(those)) {
                // Nor where the others may not follow those that are held.
                those.stream().filter(PlanSchema::fixed).forEach(schema -> units.add(unit(List.of(schema))));
                units.add(unit(those.stream().filter(schema -> !schema.fixed()).toList()));
            } else {
                units.add(unit(those));
            }
        }
        return units;
    }

    /** Whether those that are not held may go where the others are. */
    private boolean mayJoin(List<PlanSchema> members) {
        int home = home(members);
        PlanNode node = input.nodes().get(home);
        return members.stream()
                .filter(member -> !member.fixed())
                .allMatch(member -> node.capacity() > 0 && !member.forbidden().contains(node.nodeId()));
    }

    private void join(long one, long other) {
        leaders.put(leader(other), leader(one));
    }

    private long leader(long id) {
        long found = id;
        for (Long next = leaders.get(found); next != null && next != found; next = leaders.get(found)) {
            found = next;
        }
        return found;
    }

    private Unit unit(List<PlanSchema> members) {
        double cost = members.stream().mapToDouble(PlanSchema::cost).sum();
        Set<Integer> kept = new HashSet<>();
        members.forEach(schema -> kept.addAll(apart.getOrDefault(schema.id(), Set.of())));
        return new Unit(members, (long) Math.rint(cost * scale), Set.copyOf(kept), home(members));
    }

    /** Where the fixed one is; else where most of it may stay; else where most of it is. */
    private int home(List<PlanSchema> members) {
        Map<Integer, Double> shares = new TreeMap<>();
        for (PlanSchema member : members) {
            if (member.fixed()) {
                return place(member.nodeId());
            }
            shares.merge(member.nodeId(), member.cost(), Double::sum);
        }
        Comparator<Map.Entry<Integer, Double>> byFitness = Comparator.comparing(entry ->
                input.nodes().get(place(entry.getKey())).capacity() > 0
                        && members.stream()
                                .noneMatch(member -> member.forbidden().contains(entry.getKey())));
        return place(shares.entrySet().stream()
                .max(byFitness.thenComparing(Map.Entry.comparingByValue()))
                .orElseThrow()
                .getKey());
    }

    private int place(int nodeId) {
        Integer place = places.get(nodeId);
        if (place == null) {
            throw new IllegalStateException("node " + nodeId + " takes no part");
        }
        return place;
    }
}
