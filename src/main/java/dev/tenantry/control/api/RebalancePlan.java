package dev.tenantry.control.api;

import dev.tenantry.catalog.Node;
import dev.tenantry.control.rebalance.plan.Plan;
import dev.tenantry.control.rebalance.plan.PlanSchema;
import dev.tenantry.control.rebalance.plan.PlannedMove;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a rebalance would do, with nodes by name.
 *
 * @param moves in the order in which they help most
 * @param ignored left out because they bring little
 * @param stuck schemas that should leave their node and may go nowhere
 * @param stoppedEarly whether more moves would have followed, had more been allowed
 * @param nodes what every node holds now and would hold then
 */
public record RebalancePlan(
        List<Move> moves, List<Ignored> ignored, List<Stuck> stuck, boolean stoppedEarly, List<NodeLoad> nodes) {

    /** One schema that would move. */
    public record Move(String schema, String source, String target, long bytes, double cost) {}

    /** One that would not, because it would improve the balance by only that part of what it moves. */
    public record Ignored(String schema, String source, String target, double improvement) {}

    /** One that can't. */
    public record Stuck(String schema, String node) {}

    /** What a node holds before and after. */
    public record NodeLoad(
            String node,
            double capacity,
            int schemasBefore,
            int schemasAfter,
            long bytesBefore,
            long bytesAfter,
            double costBefore,
            double costAfter) {}

    static RebalancePlan of(Plan plan, Collection<Node> nodes) {
        Map<Integer, String> names = nodes.stream().collect(Collectors.toMap(Node::nodeId, Node::name));
        return new RebalancePlan(
                plan.moves().stream().map(move -> move(move, names)).toList(),
                plan.ignored().stream()
                        .map(ignored -> new Ignored(
                                ignored.move().schema().name(),
                                name(names, ignored.move().sourceNodeId()),
                                name(names, ignored.move().targetNodeId()),
                                ignored.improvement()))
                        .toList(),
                plan.stuck().stream()
                        .map(schema -> new Stuck(schema.name(), name(names, schema.nodeId())))
                        .toList(),
                plan.stoppedEarly(),
                plan.forecast().stream()
                        .map(node -> new NodeLoad(
                                name(names, node.node().nodeId()),
                                node.node().capacity(),
                                node.before().schemas(),
                                node.after().schemas(),
                                node.before().bytes(),
                                node.after().bytes(),
                                node.before().cost(),
                                node.after().cost()))
                        .toList());
    }

    private static Move move(PlannedMove move, Map<Integer, String> names) {
        PlanSchema schema = move.schema();
        return new Move(
                schema.name(),
                name(names, move.sourceNodeId()),
                name(names, move.targetNodeId()),
                schema.bytes(),
                schema.cost());
    }

    private static String name(Map<Integer, String> names, int nodeId) {
        return names.getOrDefault(nodeId, Integer.toString(nodeId));
    }
}
