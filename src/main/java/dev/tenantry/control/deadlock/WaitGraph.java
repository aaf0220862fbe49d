package dev.tenantry.control.deadlock;

import dev.tenantry.activity.LockWaiter.NodeProcess;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who waits for whom, over all nodes. The processes that one transaction has on several nodes are one vertex; any other
 * process is one of its own. Pure.
 */
final class WaitGraph {

    /** A process of a node's waits for another one there; {@code since} tells this wait from later ones. */
    record Wait(int nodeId, int pid, int blocker, String since) {}

    /** A transaction over several nodes. */
    record Transaction(String proxy, long sessionId, Instant begun, Set<NodeProcess> processes) {}

    /** From a vertex to one that it waits for. */
    private record Edge(Object from, Object to, int nodeId) {}

    /** The one that has done least is given up; all proxies find the same. */
    private static final Comparator<Transaction> YOUNGEST_FIRST = Comparator.comparing(Transaction::begun)
            .reversed()
            .thenComparing(Transaction::proxy)
            .thenComparingLong(Transaction::sessionId);

    private final Map<Object, List<Edge>> out = new HashMap<>();
    private final Map<Object, List<Edge>> in = new HashMap<>();

    private WaitGraph(Collection<Transaction> transactions, Collection<Wait> waits) {
        Map<NodeProcess, Object> vertices = new HashMap<>();
        transactions.forEach(
                transaction -> transaction.processes().forEach(process -> vertices.put(process, transaction)));
        for (Wait wait : waits) {
            NodeProcess waiter = new NodeProcess(wait.nodeId(), wait.pid());
            NodeProcess blocker = new NodeProcess(wait.nodeId(), wait.blocker());
            Edge edge = new Edge(
                    vertices.getOrDefault(waiter, waiter), vertices.getOrDefault(blocker, blocker), wait.nodeId());
            out.computeIfAbsent(edge.from(), first -> new ArrayList<>()).add(edge);
            in.computeIfAbsent(edge.to(), first -> new ArrayList<>()).add(edge);
        }
    }

    /**
     * The transactions that must be given up so that none waits for itself over more than one node. What waits for
     * itself on one node alone is that node's business, which finds it.
     */
    static List<Transaction> victims(Collection<Transaction> transactions, Collection<Wait> waits) {
        List<Transaction> left = new ArrayList<>(transactions);
        left.sort(YOUNGEST_FIRST);
        List<Transaction> victims = new ArrayList<>();
        Set<Object> gone = new HashSet<>();
        WaitGraph graph = new WaitGraph(transactions, waits);
        for (Transaction transaction : left) {
            if (graph.waitsForItself(transaction, gone)) {
                victims.add(transaction);
                gone.add(transaction);
            }
        }
        return victims;
    }

    /** A cycle over several nodes comes into some transaction on one node and leaves it on another. */
    private boolean waitsForItself(Transaction transaction, Set<Object> gone) {
        List<Edge> waitedFor = in.getOrDefault(transaction, List.of());
        for (Edge waits : out.getOrDefault(transaction, List.of())) {
            boolean elsewhere = waitedFor.stream().anyMatch(edge -> edge.nodeId() != waits.nodeId());
            if (!elsewhere || gone.contains(waits.to())) {
                continue;
            }
            Set<Object> reached = reached(waits.to(), transaction, gone);
            if (waitedFor.stream().anyMatch(edge -> edge.nodeId() != waits.nodeId() && reached.contains(edge.from()))) {
                return true;
            }
        }
        return false;
    }

    private Set<Object> reached(Object start, Object except, Set<Object> gone) {
        Set<Object> reached = new HashSet<>(Set.of(start));
        Deque<Object> next = new ArrayDeque<>(reached);
        while (!next.isEmpty()) {
            for (Edge edge : out.getOrDefault(next.remove(), List.of())) {
                if (!edge.to().equals(except) && !gone.contains(edge.to()) && reached.add(edge.to())) {
                    next.add(edge.to());
                }
            }
        }
        return reached;
    }
}
