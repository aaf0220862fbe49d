package dev.tenantry.control.deadlock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.activity.LockWaiter.NodeProcess;
import dev.tenantry.control.deadlock.WaitGraph.Transaction;
import dev.tenantry.control.deadlock.WaitGraph.Wait;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WaitGraphTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    /** Transaction n has process n on nodes 1 and 2, and is younger than those before it. */
    private static Transaction transaction(int n) {
        return new Transaction("p", n, NOON.plusSeconds(n), Set.of(new NodeProcess(1, n), new NodeProcess(2, n)));
    }

    private static Wait wait(int node, int pid, int blocker) {
        return new Wait(node, pid, blocker, "");
    }

    @Test
    void givesUpTheYoungerOfTwoThatWaitForEachOther() {
        assertThat(WaitGraph.victims(List.of(transaction(1), transaction(2)), List.of(wait(1, 1, 2), wait(2, 2, 1))))
                .containsExactly(transaction(2));
    }

    @Test
    void givesUpNobodyWhoOnlyWaits() {
        assertThat(WaitGraph.victims(List.of(transaction(1), transaction(2)), List.of(wait(1, 1, 2), wait(2, 1, 2))))
                .isEmpty();
    }

    @Test
    void leavesDeadlocksOfOneNodeToIt() {
        assertThat(WaitGraph.victims(List.of(transaction(1), transaction(2)), List.of(wait(1, 1, 2), wait(1, 2, 1))))
                .isEmpty();
    }

    @Test
    void findsItsWayOverTransactionsOfOneNode() {
        List<Wait> waits = List.of(wait(1, 1, 77), wait(1, 77, 88), wait(1, 88, 2), wait(2, 2, 1));
        assertThat(WaitGraph.victims(List.of(transaction(1), transaction(2)), waits))
                .containsExactly(transaction(2));
    }

    @Test
    void takesProcessesOfTheSameNumberOnTwoNodesForDifferentOnes() {
        assertThat(WaitGraph.victims(List.of(transaction(1)), List.of(wait(1, 1, 77), wait(2, 77, 1))))
                .isEmpty();
    }

    @Test
    void givesUpOneOfALongCircle() {
        List<Wait> waits = List.of(wait(1, 1, 2), wait(2, 2, 3), wait(1, 3, 4), wait(2, 4, 1));
        assertThat(WaitGraph.victims(
                        IntStream.rangeClosed(1, 4)
                                .mapToObj(WaitGraphTest::transaction)
                                .toList(),
                        waits))
                .containsExactly(transaction(4));
    }

    @Test
    void sparesThoseWhoWaitForADeadlockWithoutBeingInIt() {
        List<Wait> waits = List.of(wait(1, 1, 2), wait(2, 2, 1), wait(1, 9, 1), wait(2, 9, 2));
        assertThat(WaitGraph.victims(List.of(transaction(1), transaction(2), transaction(9)), waits))
                .containsExactly(transaction(2));
    }

    @Test
    void findsOneOfTwoCirclesThatShareATransactionAndBothWhenTheyDoNot() {
        List<Transaction> four =
                IntStream.rangeClosed(1, 4).mapToObj(WaitGraphTest::transaction).toList();
        assertThat(WaitGraph.victims(four, List.of(wait(1, 1, 4), wait(2, 4, 1), wait(1, 2, 4), wait(2, 4, 2))))
                .containsExactly(transaction(4));
        assertThat(WaitGraph.victims(four, List.of(wait(1, 1, 2), wait(2, 2, 1), wait(1, 3, 4), wait(2, 4, 3))))
                .containsExactly(transaction(4), transaction(2));
    }

    /** What is left when the victims are gone has no circle over two nodes, and without victims there was none. */
    @Test
    void endsEveryDeadlockAndNothingElse() {
        long seed = Long.getLong("seed", 3);
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            List<Transaction> all = IntStream.rangeClosed(1, 6)
                    .mapToObj(WaitGraphTest::transaction)
                    .toList();
            List<Wait> waits = IntStream.range(0, random.nextInt(12))
                    .mapToObj(i -> wait(1 + random.nextInt(2), 1 + random.nextInt(8), 1 + random.nextInt(8)))
                    .filter(wait -> wait.pid() != wait.blocker())
                    .distinct()
                    .toList();
            List<Transaction> victims = WaitGraph.victims(all, waits);
            Set<Integer> gone = Set.copyOf(
                    victims.stream().map(victim -> (int) victim.sessionId()).toList());
            List<Wait> left = waits.stream()
                    .filter(wait -> !gone.contains(wait.pid()) && !gone.contains(wait.blocker()))
                    .toList();
            assertThat(hasCircle(left))
                    .as("seed %s, waits %s, victims %s", seed, waits, victims)
                    .isFalse();
            if (!victims.isEmpty()) {
                assertThat(hasCircle(waits))
                        .as("seed %s, waits %s", seed, waits)
                        .isTrue();
            }
        }
    }

    /** By trying every simple path. */
    private static boolean hasCircle(List<Wait> waits) {
        return IntStream.rangeClosed(1, 6)
                .anyMatch(start -> leadsBack(waits, start, vertex(1, start), Set.of(), Set.of()));
    }

    /** Processes 7 and 8 belong to no transaction: one on each node. */
    private static String vertex(int node, int pid) {
        return pid <= 6 ? "t" + pid : node + "/" + pid;
    }

    private static boolean leadsBack(List<Wait> waits, int start, String at, Set<String> path, Set<Integer> nodes) {
        for (Wait wait : waits) {
            if (!vertex(wait.nodeId(), wait.pid()).equals(at)) {
                continue;
            }
            String next = vertex(wait.nodeId(), wait.blocker());
            Set<Integer> seen = with(nodes, wait.nodeId());
            if (next.equals("t" + start)) {
                if (seen.size() > 1) {
                    return true;
                }
            } else if (!path.contains(next) && leadsBack(waits, start, next, with(path, next), seen)) {
                return true;
            }
        }
        return false;
    }

    private static <T> Set<T> with(Set<T> set, T one) {
        Set<T> larger = new java.util.HashSet<>(set);
        larger.add(one);
        return larger;
    }
}
