package dev.tenantry.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.catalog.LoginRole;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.backend.BackendConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class WaitQueueTest {

    private final WaitQueue queue = new WaitQueue();

    @Test
    void servesTenantsInTurn() {
        Request a1 = add("a", false);
        Request a2 = add("a", false);
        Request a3 = add("a", false);
        Request b1 = add("b", false);
        Request c1 = add("c", false);
        Request b2 = add("b", false);
        assertThat(taken()).containsExactly(a1, b1, c1, a2, b2, a3);
    }

    @Test
    void servesOpenTransactionsFirst() {
        Request waits = add("a", false);
        Request late = add("b", true);
        Request later = add("a", true);
        assertThat(taken()).containsExactly(late, later, waits);
    }

    @Test
    void passesOverWhoHasGivenUp() {
        Request first = add("a", false);
        Request second = add("a", false);
        Request third = add("b", true);
        first.opened().cancel(false);
        third.opened().cancel(false);
        assertThat(queue.size()).isEqualTo(1);
        assertThat(queue.all()).containsExactly(second);
        assertThat(taken()).containsExactly(second);
        assertThat(queue.size()).isZero();
    }

    private List<Request> taken() {
        List<Request> all = new ArrayList<>();
        for (Request next = queue.peek(); next != null; next = queue.peek()) {
            queue.take(next);
            all.add(next);
        }
        return all;
    }

    private Request add(String tenant, boolean inTransaction) {
        Request request = new Request(
                NODE,
                KEY,
                new ScramClient.Credentials.Password("p"),
                new Waiter(tenant, inTransaction),
                new CompletableFuture<>(),
                0);
        queue.add(request);
        return request;
    }

    private static final Node NODE = new Node(1, 0, "n", "127.0.0.1", 1, true, true);
    private static final PoolKey KEY =
            new PoolKey(Map.of(), new LoginRole("r", true, false, false, Optional.empty(), Optional.empty(), Map.of()));

    private record Waiter(String tenant, boolean holdsInTransaction) implements BackendHolder {
        @Override
        public boolean usesCustomSettings() {
            return false;
        }

        @Override
        public boolean isLabel(BackendConnection backend) {
            return true;
        }

        @Override
        public Map<PinReason, Long> pins(BackendConnection backend) {
            return Map.of();
        }

        @Override
        public long restsSinceNanos() {
            return 0;
        }

        @Override
        public boolean rests(BackendConnection backend) {
            return false;
        }

        @Override
        public Map<String, Optional<String>> knownSettings(BackendConnection backend) {
            return Map.of();
        }

        @Override
        public void taken(BackendConnection backend) {
            throw new AssertionError("has none");
        }

        @Override
        public boolean returned(BackendConnection backend) {
            return false;
        }
    }
}
