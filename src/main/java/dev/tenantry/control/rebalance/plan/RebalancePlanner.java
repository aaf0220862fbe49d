package dev.tenantry.control.rebalance.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds moves that bring every node's utilization (cost by capacity) near the average, as Citus's rebalancer does:
 * first what is where it may not be, costly first, to the least utilized node that may have it; then, one move after
 * the other, from the most to the least utilized node the costliest schema that helps. Every one of the latter lowers
 * the utilization of the fuller of its two nodes, so the search ends and stopping half-way never hurts. What could not
 * leave is looked at again when others have moved, so planning again on the result finds nothing.
 */
public final class RebalancePlanner {

    private final PlanInput input;
    private final Board board;
    private final List<Unit> units;
    private final Set<Unit> moved = new LinkedHashSet<>();
    private final Set<PlanSchema> stuck = new LinkedHashSet<>();
    private final List<IgnoredMove> ignored = new ArrayList<>();
    private int left;
    private boolean stoppedEarly;

    private RebalancePlanner(PlanInput input) {
        this.input = input;
        this.board = new Board(input.nodes());
        this.units = Units.of(input);
        units.forEach(unit -> board.put(unit, unit.place));
    }

    /** The plan for these nodes and schemas. */
    public static Plan plan(PlanInput input) {
        RebalancePlanner planner = new RebalancePlanner(input);
        planner.settle();
        planner.gather();
        if (!input.limits().drainOnly()) {
            do {
                planner.balance();
            } while (!planner.stoppedEarly && planner.settle());
        }
        return planner.result();
    }

    /**
     * Has everything leave that may not be where it is, as often as what left made room for more. What follows never
     * undoes that, so it ends.
     *
     * @return whether anything left
     */
    private boolean settle() {
        boolean any = false;
        boolean again;
        do {
            stuck.clear();
            int leftBefore = left;
            evacuate();
            if (!input.limits().drainOnly()) {
                separate();
            }
            again = left > leftBefore;
            any |= again;
        } while (again);
        return any;
    }

    private void evacuate() {
        units.stream().sorted(Unit.BY_COST).forEach(unit -> {
            boolean open = board.isOpen(unit.place);
            if (unit.fixed && !open) {
                unit.members.stream()
                        .filter(member ->
                                member.nodeId() == board.node(unit.place).nodeId())
                        .forEach(stuck::add);
            } else if (!unit.fixed
                    && (!open || !unit.allows(board.node(unit.place).nodeId()))) {
                leave(unit);
            }
        });
    }

    /** Members that are beside their unit already count there; now they go there, where all of it may be. */
    private void gather() {
        units.stream()
                .filter(unit -> board.isOpen(unit.place)
                        && unit.allows(board.node(unit.place).nodeId())
                        && !board.crowds(unit))
                .filter(unit -> unit.members.stream()
                        .anyMatch(member ->
                                member.nodeId() != board.node(unit.place).nodeId()))
                .forEach(moved::add);
    }

    private void separate() {
        units.stream()
                .filter(unit -> !unit.fixed)
                .sorted(Unit.BY_COST.reversed())
                .filter(board::crowds)
                .forEach(this::leave);
    }

    private void leave(Unit unit) {
        board.take(unit);
        Optional<Integer> target = board.byUtilization().stream()
                .filter(place -> board.admits(place, unit))
                .findFirst();
        board.put(unit, target.orElse(unit.place));
        if (target.isPresent()) {
            left++;
            moved.add(unit);
        } else {
            stuck.addAll(unit.members);
        }
    }

    private void balance() {
        double average = board.average();
        double lower = average * (1 - input.limits().threshold());
        double upper = average * (1 + input.limits().threshold());
        while (true) {
            ignored.clear();
            Optional<Step> step = next(lower, upper);
            if (step.isEmpty()) {
                return;
            }
            if (moved.size() >= input.limits().movesMax()) {
                ignored.clear();
                stoppedEarly = true;
                return;
            }
            board.take(step.get().unit());
            board.put(step.get().unit(), step.get().target());
            moved.add(step.get().unit());
        }
    }

    private record Step(Unit unit, int target) {}

    private Optional<Step> next(double lower, double upper) {
        List<Integer> places = board.byUtilization();
        for (int source : places.reversed()) {
            double full = board.utilization(source);
            if (full <= lower) {
                break;
            }
            for (int target : places) {
                double free = board.utilization(target);
                if (free >= upper || free >= full || free >= lower && full <= upper) {
                    break;
                }
                Optional<Step> step = best(source, target);
                if (step.isPresent()) {
                    return step;
                }
            }
        }
        return Optional.empty();
    }

    /** The costliest that helps; what costs so much that the target would be as full as the source is not looked at. */
    private Optional<Step> best(int source, int target) {
        double full = board.utilization(source);
        double room = (full - board.utilization(target)) * board.capacity(target);
        for (Unit unit : board.units(source).tailSet(Unit.probe((long) Math.ceil(room)))) {
            if (unit.cost == 0) {
                break;
            }
            if (unit.fixed || !board.admits(target, unit)) {
                continue;
            }
            double filled = board.utilizationWith(target, unit.cost);
            if (filled <= board.utilizationWith(source, -unit.cost)) {
                return Optional.of(new Step(unit, target));
            }
            if (filled < full) {
                double improvement = (full - filled) / (unit.cost / board.capacity(target));
                if (improvement >= input.limits().improvementMin()) {
                    return Optional.of(new Step(unit, target));
                }
                int targetId = board.node(target).nodeId();
                unit.members.forEach(
                        member -> ignored.add(new IgnoredMove(new PlannedMove(member, targetId), improvement)));
            }
        }
        return Optional.empty();
    }

    private Plan result() {
        List<PlannedMove> moves = new ArrayList<>();
        for (Unit unit : units) {
            stuck.addAll(unit.members.stream().filter(this::isMisplaced).toList());
        }
        for (Unit unit : moved) {
            int targetId = board.node(unit.place).nodeId();
            for (PlanSchema member : unit.members) {
                if (member.nodeId() != targetId && (!input.limits().drainOnly() || isMisplaced(member))) {
                    moves.add(new PlannedMove(member, targetId));
                    stuck.remove(member);
                }
            }
        }
        return new Plan(moves, ignored, List.copyOf(stuck), stoppedEarly, forecast(moves));
    }

    private boolean isMisplaced(PlanSchema schema) {
        return !schema.fixed() && schema.forbidden().contains(schema.nodeId())
                || input.nodes().stream().anyMatch(node -> node.nodeId() == schema.nodeId() && node.capacity() == 0);
    }

    private List<NodeForecast> forecast(List<PlannedMove> moves) {
        Map<Long, Integer> targets = new HashMap<>();
        moves.forEach(move -> targets.put(move.schema().id(), move.targetNodeId()));
        Map<Integer, NodeForecast.Load> before = new HashMap<>();
        Map<Integer, NodeForecast.Load> after = new HashMap<>();
        for (PlanSchema schema : input.schemas()) {
            before.merge(schema.nodeId(), NodeForecast.Load.NONE.with(schema), (load, one) -> load.with(schema));
            after.merge(
                    targets.getOrDefault(schema.id(), schema.nodeId()),
                    NodeForecast.Load.NONE.with(schema),
                    (load, one) -> load.with(schema));
        }
        return input.nodes().stream()
                .sorted(Comparator.comparingInt(PlanNode::nodeId))
                .map(node -> new NodeForecast(
                        node,
                        before.getOrDefault(node.nodeId(), NodeForecast.Load.NONE),
                        after.getOrDefault(node.nodeId(), NodeForecast.Load.NONE)))
                .toList();
    }
}
