package dev.tenantry.control.rebalance.plan;

import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * Schemas that move as one: usually a single one. Costs are whole numbers, so that what is added and taken away again
 * leaves no trace. Lives in one plan.
 */
final class Unit {

    /** Costly first; of equal ones the one that was made first. */
    static final Comparator<Unit> BY_COST =
            Comparator.comparingLong((Unit unit) -> unit.cost).reversed().thenComparingLong(unit -> unit.id);

    final long id;
    final long cost;
    final boolean fixed;
    final List<PlanSchema> members;
    final Set<Integer> apart;

    /** The node it is counted on, by its place in the board. */
    int place;

    Unit(List<PlanSchema> members, long cost, Set<Integer> apart, int place) {
        this.members = members;
        this.id = members.getFirst().id();
        this.cost = cost;
        this.fixed = members.stream().anyMatch(PlanSchema::fixed);
        this.apart = apart;
        this.place = place;
    }

    boolean allows(int nodeId) {
        return members.stream().noneMatch(member -> member.forbidden().contains(nodeId));
    }

    /** Something to find costs by: before every unit of that cost. */
    static Unit probe(long cost) {
        PlanSchema nothing = new PlanSchema(Long.MIN_VALUE, "", 0, 0, 0, true, Set.of());
        return new Unit(List.of(nothing), cost, Set.of(), -1);
    }
}
