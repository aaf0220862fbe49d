package dev.tenantry.control.rebalance.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Which unit is on which node while a plan is made, and what that costs each node. Lives in one plan. */
final class Board {

    private final List<PlanNode> nodes;
    private final List<NavigableSet<Unit>> units = new ArrayList<>();
    private final List<Map<Integer, Integer>> apart = new ArrayList<>();
    private final long[] totals;

    Board(List<PlanNode> nodes) {
        this.nodes = nodes;
        this.totals = new long[nodes.size()];
        for (int place = 0; place < nodes.size(); place++) {
            units.add(new TreeSet<>(Unit.BY_COST));
            apart.add(new HashMap<>());
        }
    }

    void put(Unit unit, int place) {
        unit.place = place;
        units.get(place).add(unit);
        totals[place] += unit.cost;
        unit.apart.forEach(group -> apart.get(place).merge(group, 1, Integer::sum));
    }

    void take(Unit unit) {
        int place = unit.place;
        units.get(place).remove(unit);
        totals[place] -= unit.cost;
        unit.apart.forEach(group -> apart.get(place).merge(group, -1, Integer::sum));
    }

    PlanNode node(int place) {
        return nodes.get(place);
    }

    double capacity(int place) {
        return nodes.get(place).capacity();
    }

    boolean isOpen(int place) {
        return capacity(place) > 0;
    }

    /** Cost by capacity; of an open node. */
    double utilization(int place) {
        return totals[place] / capacity(place);
    }

    double utilizationWith(int place, long cost) {
        return (totals[place] + cost) / capacity(place);
    }

    /** What all open nodes would have if the cost could be spread evenly. */
    double average() {
        double cost = 0;
        double capacity = 0;
        for (int place = 0; place < nodes.size(); place++) {
            if (isOpen(place)) {
                cost += totals[place];
                capacity += capacity(place);
            }
        }
        return capacity == 0 ? 0 : cost / capacity;
    }

    /** Open nodes, the least utilized first; of equal ones that with the greater capacity. */
    List<Integer> byUtilization() {
        return IntStream.range(0, nodes.size())
                .filter(this::isOpen)
                .boxed()
                .sorted(Comparator.comparingDouble(this::utilization)
                        .thenComparing(
                                Comparator.comparingDouble(this::capacity).reversed())
                        .thenComparingInt(place -> nodes.get(place).nodeId()))
                .toList();
    }

    /** What is there, costly first. */
    NavigableSet<Unit> units(int place) {
        return units.get(place);
    }

    /** Whether a unit may be put there, as it is now. */
    boolean admits(int place, Unit unit) {
        return isOpen(place)
                && unit.allows(node(place).nodeId())
                && unit.apart.stream().allMatch(group -> apart.get(place).getOrDefault(group, 0) == 0);
    }

    /** Whether another of its kind is beside a unit that has to be kept apart. */
    boolean crowds(Unit unit) {
        return unit.apart.stream().anyMatch(group -> apart.get(unit.place).getOrDefault(group, 0) > 1);
    }
}
