package dev.tenantry.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.pool.NodeBudget.Claim;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Event loops that share the connections to a node, in every order of what they do and hear. */
class NodeBudgetTest {

    private static final int SCHEDULES = 1_500;
    private static final int STEPS = 300;

    private final long seed = Long.getLong("seed", System.nanoTime());

    /** A loop whose clients begin and end transactions. With connections it does what {@link NodeShare} does. */
    private static final class Loop {
        private final Deque<Runnable> tasks = new ArrayDeque<>();
        private final BudgetPart part;
        private final int clients;
        private int waiting;
        private int busy;
        private int idle;
        private int ending;
        private int done;

        Loop(NodeBudget budget, int clients) {
            this.clients = clients;
            this.part = new BudgetPart(budget, tasks::add, this::serve);
        }

        int open() {
            return busy + idle + ending;
        }

        boolean canBegin() {
            return waiting + busy < clients;
        }

        void begin() {
            waiting++;
            serve();
        }

        void end() {
            busy--;
            idle++;
            done++;
            serve();
        }

        /** A server has ended a connection that was given up. */
        void ended() {
            ending--;
            part.ended(true);
            serve();
        }

        /** A connection breaks. */
        void broken() {
            idle--;
            part.ended(false);
            serve();
        }

        void look() {
            while (part.lastClaim() == Claim.UNUSED && waiting == 0 && part.claim() == Claim.UNUSED && give()) {
                // as often as it is wanted
            }
            serve();
        }

        void serve() {
            while (part.lastClaim() == Claim.NEXT && part.claim() == Claim.NEXT && give()) {
                // as often as it is wanted
            }
            while (waiting > 0 && (idle > 0 || part.hasPlace(false) || part.wantsPlace(false))) {
                if (idle > 0) {
                    idle--;
                } else {
                    part.use();
                }
                waiting--;
                busy++;
            }
            part.settle(waiting > 0);
        }

        private boolean give() {
            if (idle > 0) {
                idle--;
                ending++;
                part.gives();
                return true;
            }
            return false;
        }
    }

    @Test
    void keepsToTheSizeAndForgetsNobody() {
        for (int schedule = 0; schedule < SCHEDULES; schedule++) {
            Random random = new Random(seed + schedule);
            int size = 1 + random.nextInt(5);
            NodeBudget budget = new NodeBudget(size);
            List<Loop> loops = IntStream.range(0, 2 + random.nextInt(3))
                    .mapToObj(i -> new Loop(budget, 1 + random.nextInt(6)))
                    .toList();
            String name = "seed " + (seed + schedule) + ", size " + size;
            for (int step = 0; step < STEPS; step++) {
                step(loops.get(random.nextInt(loops.size())), random.nextInt(8));
                assertThat(loops.stream().mapToInt(Loop::open).sum()).as(name).isLessThanOrEqualTo(size);
            }
            rest(loops, name + ", " + budget);
            assertThat(loops).as(name + ", " + budget).allMatch(loop -> loop.waiting == 0 && loop.busy == 0);
            assertThat(loops).as(name + ", " + budget).allMatch(loop -> loop.part.isSettled());
        }
    }

    private static void step(Loop loop, int what) {
        switch (what) {
            case 0, 1 -> {
                if (loop.canBegin()) {
                    loop.begin();
                }
            }
            case 2, 3 -> {
                if (loop.busy > 0) {
                    loop.end();
                }
            }
            case 4 -> {
                if (loop.ending > 0) {
                    loop.ended();
                }
            }
            case 5 -> loop.look();
            case 6 -> {
                if (loop.idle > 0) {
                    loop.broken();
                }
            }
            default -> {
                Runnable task = loop.tasks.poll();
                if (task != null) {
                    task.run();
                }
            }
        }
    }

    /** Nothing new begins; what was begun comes to its end. */
    private static void rest(List<Loop> loops, String name) {
        for (int round = 0; round < 1_000; round++) {
            for (Loop loop : loops) {
                for (int what : new int[] {7, 3, 4, 5}) {
                    step(loop, what);
                }
            }
            if (loops.stream().allMatch(loop -> loop.tasks.isEmpty() && loop.waiting + loop.busy + loop.ending == 0)) {
                return;
            }
        }
        throw new AssertionError("somebody waits for ever: " + name);
    }

    /** Loops that want more than there is get their parts, however many clients they have. */
    @Test
    void dividesWhatIsWantedByAll() {
        for (int size = 1; size <= 8; size++) {
            Random random = new Random(seed + size);
            NodeBudget budget = new NodeBudget(size);
            List<Loop> loops = List.of(new Loop(budget, 50), new Loop(budget, 8), new Loop(budget, 9));
            for (int step = 0; step < 60_000; step++) {
                Loop loop = loops.get(random.nextInt(loops.size()));
                while (loop.canBegin()) {
                    loop.begin();
                }
                step(loop, 2 + random.nextInt(6) % 5);
                step(loop, 7);
            }
            List<Integer> done = new ArrayList<>(
                    loops.stream().map(loop -> loop.done).sorted().toList());
            assertThat(done.getFirst() * 2.5)
                    .as("seed " + seed + ", size " + size + ": " + done + ", " + budget)
                    .isGreaterThan(done.getLast());
        }
    }

    @Test
    void takesAnUnusedConnectionOfALoopThatHasNoMore() {
        NodeBudget budget = new NodeBudget(2);
        Loop one = new Loop(budget, 2);
        Loop other = new Loop(budget, 2);
        other.begin();
        other.end();
        one.begin();
        one.begin();
        other.tasks.remove().run();
        assertThat(other.ending).isZero(); // it might be used again at once
        other.look();
        other.ended();
        one.tasks.remove().run();
        assertThat(one.busy).isEqualTo(2);
    }

    @Test
    void letsTransactionsThatHoldConnectionsExceedByHalf() {
        NodeBudget budget = new NodeBudget(3);
        List<String> told = new ArrayList<>();
        NodeBudget.Part part = budget.join(() -> told.add("granted"), claim -> told.add("asked"));
        for (int i = 0; i < 3; i++) {
            assertThat(budget.acquire(part, false, true)).isTrue();
        }
        assertThat(budget.acquire(part, false, true)).isFalse();
        assertThat(budget.acquire(part, true, true)).isTrue();
        assertThat(budget.acquire(part, true, true)).isTrue();
        assertThat(budget.acquire(part, true, true)).isFalse();
        budget.release(part, false);
        assertThat(told).containsExactly("granted");
        assertThat(budget.acquire(part, false, true)).isFalse();
        budget.release(part, false);
        budget.release(part, false);
        assertThat(told).containsExactly("granted");
        budget.release(part, false);
        assertThat(told).containsExactly("granted", "granted");
    }
}
