package dev.tenantry.control.rebalance.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class RebalancePlannerTest {

    private static final PlanLimits EXACT = new PlanLimits(0, 0, Integer.MAX_VALUE, false);
    private static final PlanLimits BY_SIZE = new PlanLimits(0.1, 0.5, Integer.MAX_VALUE, false);
    private static final PlanLimits DRAIN = new PlanLimits(0.1, 0.5, Integer.MAX_VALUE, true);

    private final List<PlanNode> nodes = new ArrayList<>(List.of(new PlanNode(1, 1), new PlanNode(2, 1)));
    private final List<PlanSchema> schemas = new ArrayList<>();
    private final List<Set<Long>> together = new ArrayList<>();
    private final List<Set<Long>> apart = new ArrayList<>();

    @Test
    void spreadsSchemasOfOneCostByNumber() {
        put(1, 1, 1, 1, 1, 1, 1);
        assertThat(costs(plan(EXACT))).containsExactly(3.0, 3.0);
    }

    @Test
    void leavesWhatIsWithinTheThreshold() {
        put(1, 10, 10, 1);
        put(2, 10, 10);
        assertThat(plan(BY_SIZE).moves()).isEmpty();
    }

    @Test
    void movesTheCostliestThatHelps() {
        put(1, 50, 30, 20, 10);
        put(2, 10);
        assertThat(moves(plan(BY_SIZE))).containsExactly("50->2");
    }

    @Test
    void fillsAnEmptyNodeFromBothOthers() {
        nodes.add(new PlanNode(3, 1));
        put(1, 9, 8, 7, 6, 5, 4, 3, 2, 1);
        put(2, 9, 8, 7, 6, 5, 4, 3, 2, 1);
        Plan plan = plan(BY_SIZE);
        assertThat(costs(plan)).allSatisfy(cost -> assertThat(cost).isCloseTo(30, within(3.0)));
        assertThat(plan.moves()).extracting(PlannedMove::targetNodeId).containsOnly(3);
    }

    @Test
    void givesNodesWhatTheirCapacityCarries() {
        nodes.set(1, new PlanNode(2, 3));
        put(1, 1, 1, 1, 1, 1, 1, 1, 1);
        assertThat(costs(plan(EXACT))).containsExactly(2.0, 6.0);
    }

    @Test
    void stopsAtAsManyMovesAsAreAllowed() {
        put(1, 1, 1, 1, 1, 1, 1);
        Plan plan = plan(new PlanLimits(0, 0, 2, false));
        assertThat(plan.moves()).hasSize(2);
        assertThat(plan.stoppedEarly()).isTrue();
    }

    @Test
    void leavesOutAndTellsWhatBringsLittle() {
        schemas.add(schema(1, 30, true, Set.of()));
        put(1, 70);
        put(2, 10);
        Plan plan = plan(BY_SIZE);
        assertThat(plan.moves()).isEmpty();
        assertThat(plan.ignored())
                .isNotEmpty()
                .allSatisfy(ignored -> assertThat(ignored.improvement()).isLessThan(0.5));
        assertThat(moves(plan(new PlanLimits(0.1, 0.0, Integer.MAX_VALUE, false))))
                .contains("70->2");
    }

    @Test
    void tellsWhatEveryNodeHoldsBeforeAndAfter() {
        put(1, 10, 10, 10, 10);
        Plan plan = plan(BY_SIZE);
        assertThat(plan.forecast()).hasSize(2);
        assertThat(plan.forecast().getFirst().before()).isEqualTo(new NodeForecast.Load(4, 40, 40));
        assertThat(plan.forecast().getFirst().after()).isEqualTo(new NodeForecast.Load(2, 20, 20));
        assertThat(plan.forecast().getLast().after()).isEqualTo(new NodeForecast.Load(2, 20, 20));
    }

    @Test
    void plansNothingForNothing() {
        assertThat(plan(BY_SIZE).moves()).isEmpty();
        nodes.clear();
        assertThat(plan(BY_SIZE).moves()).isEmpty();
    }

    @Test
    void leavesSchemasAloneWhoseNodeTakesNoPart() {
        put(9, 100);
        put(1, 1, 1);
        assertThat(moves(plan(EXACT))).containsExactly("1->2");
    }

    @Test
    void ignoresThatSchemasOfNoCostAreOnOneNode() {
        put(1, 0, 0, 0, 0);
        assertThat(plan(EXACT).moves()).isEmpty();
    }

    @Nested
    class NodeThatIsToHoldNothing {

        @Test
        void isEmptiedAndTheRestBalanced() {
            nodes.add(new PlanNode(3, 0));
            put(3, 5, 4, 3, 2, 1);
            put(1, 1);
            Plan plan = plan(BY_SIZE);
            assertThat(costs(plan)).containsExactly(8.0, 8.0, 0.0);
        }

        @Test
        void aloneIsEmptiedByADrain() {
            nodes.add(new PlanNode(3, 0));
            put(1, 100, 100);
            put(3, 5, 4);
            assertThat(moves(plan(DRAIN))).containsExactlyInAnyOrder("5->2", "4->2");
        }

        @Test
        void isLeftByMembersOfARuleWhoseOthersAreElsewhere() {
            nodes.add(new PlanNode(3, 0));
            put(1, 5, 100);
            put(3, 4);
            together.add(Set.of(0L, 2L));
            assertThat(moves(plan(DRAIN))).containsExactly("4->1");
            assertThat(moves(plan(new PlanLimits(9, 0.5, Integer.MAX_VALUE, false))))
                    .containsExactly("4->1");
        }

        @Test
        void drawsNothingByAPinnedOne() {
            nodes.add(new PlanNode(3, 0));
            schemas.add(schema(3, 7, true, Set.of()));
            put(1, 5);
            together.add(Set.of(0L, 1L));
            Plan plan = plan(new PlanLimits(9, 0.5, Integer.MAX_VALUE, false));
            assertThat(plan.moves()).isEmpty();
            assertThat(plan.stuck()).containsExactly(schemas.getFirst());
        }

        @Test
        void keepsWhatIsPinnedThereAndSaysSo() {
            nodes.add(new PlanNode(3, 0));
            schemas.add(schema(3, 7, true, Set.of()));
            Plan plan = plan(DRAIN);
            assertThat(plan.moves()).isEmpty();
            assertThat(plan.stuck()).containsExactlyElementsOf(schemas);
        }

        @Test
        void keepsWhatMayGoNowhereAndSaysSo() {
            nodes.add(new PlanNode(3, 0));
            schemas.add(schema(3, 7, false, Set.of(1, 2)));
            Plan plan = plan(BY_SIZE);
            assertThat(plan.moves()).isEmpty();
            assertThat(plan.stuck()).containsExactlyElementsOf(schemas);
        }
    }

    @Nested
    class Rules {

        @Test
        void forbiddenNodeIsLeftAndNotEntered() {
            schemas.add(schema(1, 1, false, Set.of(1)));
            schemas.add(schema(1, 9, false, Set.of(2)));
            assertThat(moves(plan(EXACT))).containsExactly("1->2");
        }

        @Test
        void pinnedSchemaStaysAndCounts() {
            schemas.add(schema(1, 10, true, Set.of()));
            put(1, 4, 4, 2);
            assertThat(moves(plan(BY_SIZE))).containsExactlyInAnyOrder("4->2", "4->2", "2->2");
        }

        @Test
        void schemasKeptTogetherMoveAsOne() {
            schemas.add(schema(1, 6, true, Set.of()));
            put(1, 3, 3, 4, 4);
            together.add(Set.of(1L, 2L));
            assertThat(moves(plan(BY_SIZE))).containsExactly("3->2", "3->2", "4->2");
        }

        @Test
        void schemasKeptTogetherAreBroughtTogether() {
            put(1, 6);
            put(2, 3, 3);
            together.add(Set.of(0L, 1L));
            assertThat(moves(plan(new PlanLimits(1, 0.5, Integer.MAX_VALUE, false))))
                    .containsExactly("3->1");
        }

        @Test
        void aPinnedOneDrawsTheOthersToItsNode() {
            put(1, 6);
            schemas.add(schema(2, 1, true, Set.of()));
            together.add(Set.of(0L, 1L));
            assertThat(moves(plan(BY_SIZE))).containsExactly("6->2");
        }

        @Test
        void aPinnedOneDrawsNothingToANodeThatIsForbiddenToIt() {
            schemas.add(schema(1, 6, false, Set.of(2)));
            schemas.add(schema(2, 6, true, Set.of()));
            together.add(Set.of(0L, 1L));
            assertThat(plan(BY_SIZE).moves()).isEmpty();
        }

        @Test
        void schemasKeptApartAreSeparated() {
            put(1, 1, 2, 3);
            apart.add(Set.of(0L, 1L));
            assertThat(moves(plan(new PlanLimits(10, 0.5, Integer.MAX_VALUE, false))))
                    .containsExactly("1->2");
        }

        @Test
        void schemasKeptApartAreNotBroughtTogether() {
            put(1, 5, 5);
            put(2, 1);
            apart.add(Set.of(0L, 2L));
            apart.add(Set.of(1L, 2L));
            assertThat(plan(EXACT).moves()).isEmpty();
        }

        @Test
        void schemasKeptApartAreSeparatedWhenOthersHaveMadeRoom() {
            nodes.add(new PlanNode(3, 1));
            schemas.add(schema(1, 1, false, Set.of(3)));
            schemas.add(schema(1, 2, false, Set.of(3)));
            put(2, 4);
            schemas.add(schema(2, 9, true, Set.of()));
            apart.add(Set.of(0L, 1L, 2L));
            Plan plan = plan(EXACT);
            assertThat(moves(plan)).containsExactly("4->3", "1->2");
            assertThat(plan.stuck()).isEmpty();
        }
    }

    private void put(int nodeId, double... costs) {
        Arrays.stream(costs).forEach(cost -> schemas.add(schema(nodeId, cost, false, Set.of())));
    }

    private PlanSchema schema(int nodeId, double cost, boolean fixed, Set<Integer> forbidden) {
        return new PlanSchema(schemas.size(), "s" + schemas.size(), nodeId, cost, (long) cost, fixed, forbidden);
    }

    private Plan plan(PlanLimits limits) {
        return RebalancePlanner.plan(new PlanInput(nodes, schemas, together, apart, limits));
    }

    private static List<Double> costs(Plan plan) {
        return plan.forecast().stream().map(node -> node.after().cost()).toList();
    }

    private static List<String> moves(Plan plan) {
        return plan.moves().stream()
                .map(move -> (long) move.schema().cost() + "->" + move.targetNodeId())
                .toList();
    }
}
