package dev.tenantry.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.proxy.pool.NodeBudget.Claim;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    /** Event loops by name, and what they are told, in its order. */
    private static final class Told {
        private final NodeBudget budget;
        private final List<String> words = new ArrayList<>();
        private final Map<String, NodeBudget.Part> parts = new HashMap<>();

        Told(int size) {
            budget = new NodeBudget(size);
        }

        NodeBudget.Part of(String name) {
            return parts.computeIfAbsent(
                    name, its -> budget.join(() -> words.add(its), claim -> words.add(its + " " + claim)));
        }

        void has(String name, int places) {
            for (int i = 0; i < places; i++) {
                assertThat(budget.acquire(of(name), false, false)).isTrue();
            }
        }

        void wants(String name) {
            assertThat(budget.acquire(of(name), false, true)).isFalse();
        }

        void wantsUrgently(String name) {
            assertThat(budget.acquire(of(name), true, true)).isFalse();
        }

        void assertTold(String... expected) {
            assertThat(words).as(budget.toString()).containsExactly(expected);
            words.clear();
        }
    }

    @Test
    void grantsToTheLoopWithTheFewestThenToTheOneThatHasWaitedLongest() {
        Told told = new Told(6);
        told.has("most", 3);
        told.has("second", 1);
        told.has("first", 1);
        told.has("other", 1);
        told.wants("most");
        told.wants("first");
        told.wants("second");
        told.wants("first"); // which does not lose its turn
        told.words.clear();
        told.budget.release(told.of("other"), false);
        told.assertTold("first");
        told.budget.release(told.of("most"), false);
        told.assertTold("second");
        told.budget.release(told.of("first"), false);
        told.assertTold("most");
        told.budget.release(told.of("first"), false);
        told.assertTold(); // nobody wants one any more
        assertThat(told.budget.acquire(told.of("first"), false, false)).isTrue();
        assertThat(told.budget.acquire(told.of("first"), false, false)).isFalse();
    }

    @Test
    void grantsToATransactionWhatOthersMayNotHave() {
        Told told = new Told(2);
        told.has("few", 1);
        told.has("many", 1);
        assertThat(told.budget.acquire(told.of("many"), true, false)).isTrue();
        told.wants("few");
        told.wantsUrgently("many");
        told.words.clear();
        told.budget.release(told.of("few"), false);
        told.assertTold("many", "many NEXT"); // it got one, and has what the other lacks
        told.wantsUrgently("many");
        told.wants("many"); // its transaction has given up, and another session waits
        told.words.clear();
        told.budget.release(told.of("many"), false);
        told.assertTold();
    }

    @Test
    void grantsNothingToWhoWantsNoneAnyMore() {
        Told told = new Told(1);
        told.has("one", 1);
        told.wants("other");
        told.assertTold("one NEXT");
        told.budget.withdraw(told.of("other"));
        assertThat(told.budget.claim(told.of("one"))).isEqualTo(Claim.NONE);
        told.budget.release(told.of("one"), false);
        told.assertTold();
    }

    @Test
    void asksForTheNextWhereAnotherHasNoneOrTwoLess() {
        Told told = new Told(5);
        told.has("three", 3);
        told.has("two", 2);
        told.wants("two");
        told.assertTold("three UNUSED");
        told.wants("none");
        told.assertTold("three NEXT", "two NEXT");
        told.wants("none");
        told.wants("two");
        told.assertTold(); // they know
        told.budget.release(told.of("two"), false);
        told.assertTold("none", "none UNUSED");
        assertThat(told.budget.claim(told.of("three"))).isEqualTo(Claim.NEXT); // two are less by two
        assertThat(told.budget.claim(told.of("two"))).isEqualTo(Claim.NONE); // it wants it itself
        told.budget.gives(told.of("three"));
        told.wants("none");
        told.assertTold("two UNUSED"); // and not those that stay with the three, which nobody has less than by two
        assertThat(told.budget.claim(told.of("three"))).isEqualTo(Claim.UNUSED);
    }

    @Test
    void asksForTheNextWhereATransactionWaits() {
        Told told = new Told(2);
        told.has("one", 1);
        told.has("other", 1);
        assertThat(told.budget.acquire(told.of("other"), true, false)).isTrue();
        told.wantsUrgently("other");
        told.assertTold("one NEXT");
        told.of("none");
        told.wants("none");
        told.assertTold("other NEXT");
    }

    /** What is given up is asked for once; what remains to be wanted is asked for when the other has come. */
    @Test
    void asksForAsManyAsAreWanted() {
        Told told = new Told(2);
        told.has("one", 1);
        told.has("other", 1);
        told.wants("none");
        told.assertTold("one NEXT", "other NEXT");
        told.budget.gives(told.of("one"));
        assertThat(told.budget.claim(told.of("one"))).isEqualTo(Claim.NONE);
        assertThat(told.budget.claim(told.of("other"))).isEqualTo(Claim.NONE);
        told.wants("more");
        told.assertTold("other NEXT"); // the first has none that stays
        assertThat(told.budget.claim(told.of("one"))).isEqualTo(Claim.NONE);
        assertThat(told.budget.claim(told.of("other"))).isEqualTo(Claim.NEXT);
        told.budget.gives(told.of("other"));
        assertThat(told.budget.claim(told.of("other"))).isEqualTo(Claim.NONE);
        told.budget.release(told.of("one"), true);
        told.budget.release(told.of("other"), true);
        told.assertTold("none", "more");
        told.wants("one");
        told.assertTold("none NEXT", "more NEXT"); // nothing is under way any more
        told.budget.gives(told.of("none"));
        assertThat(told.budget.claim(told.of("more"))).isEqualTo(Claim.NONE);
        told.budget.release(told.of("more"), false); // one that broke
        told.assertTold("one");
        told.wants("more");
        told.assertTold(); // the one that is given up will do
    }

    @Test
    void givesBackAllPlacesThatNobodyNeeds() {
        NodeBudget budget = new NodeBudget(2);
        Deque<Runnable> tasks = new ArrayDeque<>();
        BudgetPart one = new BudgetPart(budget, Runnable::run, () -> {});
        BudgetPart other = new BudgetPart(budget, tasks::add, () -> {});
        for (int i = 0; i < 2; i++) {
            assertThat(one.hasPlace(false)).isTrue();
            one.use();
        }
        assertThat(other.wantsPlace(false)).isFalse();
        assertThat(other.isSettled()).isFalse();
        one.ended(false);
        one.ended(false);
        assertThat(other.hasPlace(false)).isTrue(); // beside the one that it has not heard of yet
        tasks.forEach(Runnable::run);
        assertThat(one.hasPlace(false)).isFalse();
        other.settle(true);
        assertThat(other.isSettled()).isFalse();
        other.settle(false);
        assertThat(other.isSettled()).isTrue();
        assertThat(one.claim()).isEqualTo(Claim.NONE);
        assertThat(budget).hasToString("0 of 2, 0 leaving: 0 0");
        assertThatThrownBy(other::use).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void asksAnewWhenATransactionWaits() {
        NodeBudget budget = new NodeBudget(1);
        BudgetPart one = new BudgetPart(budget, Runnable::run, () -> {});
        BudgetPart other = new BudgetPart(budget, Runnable::run, () -> {});
        assertThat(one.hasPlace(false)).isTrue();
        one.use();
        assertThat(other.wantsPlace(false)).isFalse();
        assertThat(other.wantsPlace(true)).isTrue();
        other.use();
        assertThat(other.isSettled()).isTrue();
        assertThat(other.wantsPlace(true)).isFalse();
        assertThat(one.lastClaim()).isEqualTo(Claim.NEXT);
        assertThat(one.isSettled()).isFalse();
        other.settle(false);
        assertThat(one.claim()).isEqualTo(Claim.NONE);
        assertThat(one.isSettled()).isTrue();
        one.ended(false);
        other.ended(false);
        assertThat(budget).hasToString("0 of 1, 0 leaving: 0 0");
    }

    @Test
    void wantsAPlaceAgainWhenATransactionHasTakenTheOneBeforeIt() {
        NodeBudget budget = new NodeBudget(1);
        List<String> served = new ArrayList<>();
        BudgetPart one = new BudgetPart(budget, Runnable::run, () -> served.add("one"));
        BudgetPart other = new BudgetPart(budget, Runnable::run, () -> served.add("other"));
        assertThat(one.hasPlace(false)).isTrue();
        one.use();
        assertThat(other.wantsPlace(false)).isFalse();
        assertThat(served).containsExactly("one"); // which may have one to give
        assertThat(other.hasPlace(true)).isTrue();
        other.use();
        assertThat(other.wantsPlace(false)).isFalse();
        one.ended(false);
        assertThat(served).containsExactly("one");
        other.ended(false);
        assertThat(served).containsExactly("one", "other");
        assertThat(one.hasPlace(false)).isFalse();
        assertThat(other.hasPlace(false)).isTrue();
    }

    /** Words of other threads come late: what was asked for since counts if it is more. */
    @Test
    void keepsTheStrongestClaimThatItHasHeardOf() {
        NodeBudget budget = new NodeBudget(3);
        Deque<Runnable> tasks = new ArrayDeque<>();
        BudgetPart one = new BudgetPart(budget, tasks::add, () -> {});
        BudgetPart less = new BudgetPart(budget, Runnable::run, () -> {});
        BudgetPart none = new BudgetPart(budget, Runnable::run, () -> {});
        for (BudgetPart part : List.of(one, one, less)) {
            assertThat(part.hasPlace(false)).isTrue();
            part.use();
        }
        assertThat(less.wantsPlace(false)).isFalse();
        assertThat(none.wantsPlace(false)).isFalse();
        assertThat(one.claim()).isEqualTo(Claim.NEXT);
        tasks.remove().run(); // others would have an unused one
        assertThat(one.lastClaim()).isEqualTo(Claim.NEXT);
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
