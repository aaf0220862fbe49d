package dev.tenantry.proxy.pool;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for a connection to one node. Sessions that hold connections already, because their transaction is open,
 * come first, as others wait for theirs; the others are served tenant by tenant, one of each in turn, so that nobody
 * gets more by asking more often. Whoever has given up is passed over. Lives on its event loop.
 */
final class WaitQueue {
    private final Deque<Request> urgent = new ArrayDeque<>();
    private final Map<String, Deque<Request>> byTenant = new LinkedHashMap<>();
    private final Set<Request> waiting = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Queues a request until it is taken out or answered. */
    void add(Request request) {
        waiting.add(request);
        request.opened().whenComplete((backend, problem) -> waiting.remove(request));
        if (request.holder().holdsInTransaction()) {
            urgent.addLast(request);
        } else {
            byTenant.computeIfAbsent(request.holder().tenant(), tenant -> new ArrayDeque<>())
                    .addLast(request);
        }
    }

    int size() {
        return waiting.size();
    }

    /** Whose turn it is, or null. */
    @Nullable
    Request peek() {
        Request first = first(urgent);
        Iterator<Deque<Request>> tenants = byTenant.values().iterator();
        while (first == null && tenants.hasNext()) {
            first = first(tenants.next());
            if (first == null) {
                tenants.remove();
            }
        }
        return first;
    }

    /** Takes out the one that {@link #peek} gave; its tenant is last now. */
    void take(Request request) {
        waiting.remove(request);
        if (urgent.peekFirst() == request) {
            urgent.removeFirst();
            return;
        }
        String tenant = request.holder().tenant();
        for (Map.Entry<String, Deque<Request>> entry : byTenant.entrySet()) {
            if (entry.getValue().peekFirst() == request) {
                tenant = entry.getKey();
                break;
            }
        }
        Deque<Request> rest = byTenant.remove(tenant);
        if (rest != null) {
            rest.removeFirst();
            if (!rest.isEmpty()) {
                byTenant.put(tenant, rest);
            }
        }
    }

    private static @Nullable Request first(Deque<Request> of) {
        Request first = of.peekFirst();
        while (first != null && first.opened().isDone()) {
            of.removeFirst();
            first = of.peekFirst();
        }
        return first;
    }

    /** All that wait. */
    List<Request> all() {
        List<Request> all = new ArrayList<>(urgent);
        byTenant.values().forEach(all::addAll);
        all.removeIf(request -> request.opened().isDone());
        return all;
    }
}
