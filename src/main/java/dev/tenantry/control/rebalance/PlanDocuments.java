package dev.tenantry.control.rebalance;

import dev.tenantry.control.rebalance.plan.IgnoredMove;
import dev.tenantry.control.rebalance.plan.NodeForecast;
import dev.tenantry.control.rebalance.plan.Plan;
import dev.tenantry.control.rebalance.plan.PlanInput;
import dev.tenantry.control.rebalance.plan.PlanLimits;
import dev.tenantry.control.rebalance.plan.PlanNode;
import dev.tenantry.control.rebalance.plan.PlanSchema;
import dev.tenantry.control.rebalance.plan.PlannedMove;
import dev.tenantry.control.rebalance.plan.RebalancePlanner;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collector;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/** Plans as the catalog's functions write and read them: {@code tenantry.rebalance_input()}, {@code ask_for_plan()}. */
final class PlanDocuments {

    private static final Logger LOG = Logger.getLogger(PlanDocuments.class);

    private PlanDocuments() {}

    /**
     * The plan for an input; one with nothing but an {@code error} for an input that can't be planned. Never throws:
     * whoever asks for one plan must not keep others from theirs.
     */
    static JsonObject answer(JsonObject input) {
        try {
            return document(RebalancePlanner.plan(input(input)));
        } catch (IllegalArgumentException wrong) {
            return new JsonObject().put("error", wrong.getMessage());
        } catch (RuntimeException ours) {
            LOG.error("plan can't be made", ours);
            return new JsonObject().put("error", "the plan can't be made: " + ours);
        }
    }

    static PlanInput input(JsonObject document) {
        JsonObject limits = document.getJsonObject("limits");
        return new PlanInput(
                objects(document, "nodes")
                        .map(node -> new PlanNode(node.getInteger("id"), number(node, "capacity")))
                        .toList(),
                objects(document, "schemas").map(PlanDocuments::schema).toList(),
                groups(document.getJsonArray("together")),
                groups(document.getJsonArray("apart")),
                new PlanLimits(
                        number(limits, "threshold"),
                        number(limits, "improvement"),
                        limits.getInteger("moves"),
                        limits.getBoolean("drain")));
    }

    private static PlanSchema schema(JsonObject schema) {
        Set<Integer> forbidden = new HashSet<>();
        schema.getJsonArray("forbidden").forEach(id -> forbidden.add(((Number) id).intValue()));
        return new PlanSchema(
                schema.getLong("id"),
                schema.getString("name"),
                schema.getInteger("node"),
                number(schema, "cost"),
                schema.getLong("bytes"),
                schema.getBoolean("fixed"),
                forbidden);
    }

    /** What JSON has no number for, NaN and infinities, PostgreSQL writes as text. */
    private static double number(JsonObject object, String key) {
        return object.getValue(key) instanceof Number number
                ? number.doubleValue()
                : Double.parseDouble(object.getString(key));
    }

    private static List<Set<Long>> groups(JsonArray groups) {
        return groups.stream()
                .map(group -> {
                    Set<Long> ids = new HashSet<>();
                    ((JsonArray) group).forEach(id -> ids.add(((Number) id).longValue()));
                    return ids;
                })
                .toList();
    }

    private static Stream<JsonObject> objects(JsonObject document, String key) {
        JsonArray array = document.getJsonArray(key);
        return array == null ? Stream.of() : array.stream().map(JsonObject.class::cast);
    }

    static JsonObject document(Plan plan) {
        return new JsonObject()
                .put("moves", plan.moves().stream().map(PlanDocuments::move).collect(array()))
                .put(
                        "ignored",
                        plan.ignored().stream().map(PlanDocuments::ignored).collect(array()))
                .put("stuck", plan.stuck().stream().map(PlanDocuments::stuck).collect(array()))
                .put("stopped", plan.stoppedEarly())
                .put(
                        "nodes",
                        plan.forecast().stream().map(PlanDocuments::forecast).collect(array()));
    }

    private static JsonObject move(PlannedMove move) {
        return stuck(move.schema())
                .put("target", move.targetNodeId())
                .put("bytes", move.schema().bytes())
                .put("cost", move.schema().cost());
    }

    private static JsonObject ignored(IgnoredMove ignored) {
        return move(ignored.move()).put("improvement", ignored.improvement());
    }

    private static JsonObject stuck(PlanSchema schema) {
        return new JsonObject()
                .put("schema", schema.id())
                .put("name", schema.name())
                .put("source", schema.nodeId());
    }

    private static JsonObject forecast(NodeForecast node) {
        return new JsonObject()
                .put("id", node.node().nodeId())
                .put("capacity", node.node().capacity())
                .put("before", load(node.before()))
                .put("after", load(node.after()));
    }

    private static JsonObject load(NodeForecast.Load load) {
        return new JsonObject()
                .put("schemas", load.schemas())
                .put("bytes", load.bytes())
                .put("cost", load.cost());
    }

    private static Collector<JsonObject, JsonArray, JsonArray> array() {
        return Collector.of(JsonArray::new, JsonArray::add, JsonArray::addAll);
    }
}
