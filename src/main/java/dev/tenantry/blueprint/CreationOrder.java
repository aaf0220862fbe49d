package dev.tenantry.blueprint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Puts pieces into an order in which each comes after all it requires: by phase, then by kind, then by name wherever
 * requirements leave a choice, so that equal schemas give equal orders. Where pieces require each other, one that has a
 * stand-in is made in two steps.
 */
final class CreationOrder {

    /** What is made first where there is a choice. */
    static final Comparator<Piece> PRIORITY = Comparator.comparing(Piece::phase)
            .thenComparing(piece -> piece.key().kind())
            .thenComparing(Piece::name)
            .thenComparingLong(piece -> piece.key().oid());

    private final Map<PieceKey, Piece> pieces = new LinkedHashMap<>();
    private final Map<PieceKey, Set<PieceKey>> waitsFor = new HashMap<>();
    private final Map<PieceKey, Set<PieceKey>> waiters = new HashMap<>();
    private final PriorityQueue<Piece> ready = new PriorityQueue<>(PRIORITY);
    private final List<Piece> ordered = new ArrayList<>();
    private final List<List<Piece>> knots = new ArrayList<>();

    private CreationOrder(Collection<Piece> unordered) {
        unordered.forEach(piece -> pieces.put(piece.key(), piece));
    }

    /**
     * An order, or what stands in its way.
     *
     * @param pieces all of them and the stand-ins that are needed, in order; not all if there are knots
     * @param knots pieces that require each other in a circle and have no stand-in
     */
    record Result(List<Piece> pieces, List<List<Piece>> knots) {}

    /** Orders pieces; moves those to an earlier phase that something there requires. */
    static Result of(Collection<Piece> pieces) {
        CreationOrder order = new CreationOrder(pieces);
        order.promote();
        order.pieces.values().forEach(order::enqueue);
        order.run();
        return new Result(order.ordered, order.knots);
    }

    private void promote() {
        for (Phase phase : Phase.values()) {
            Deque<Piece> todo = new ArrayDeque<>();
            pieces.values().stream().filter(piece -> piece.phase() == phase).forEach(todo::add);
            while (!todo.isEmpty()) {
                for (PieceKey key : todo.remove().required()) {
                    Piece needed = piece(key);
                    if (needed.phase().compareTo(phase) > 0) {
                        todo.add(needed.in(phase));
                    }
                }
            }
        }
    }

    private Piece piece(PieceKey key) {
        Piece piece = pieces.get(key);
        if (piece == null) {
            throw new IllegalStateException("required and never read: " + key);
        }
        return piece;
    }

    private void enqueue(Piece piece) {
        Set<PieceKey> missing = new LinkedHashSet<>(piece.required());
        ordered.forEach(made -> missing.remove(made.key()));
        waitsFor.put(piece.key(), missing);
        missing.forEach(key ->
                waiters.computeIfAbsent(key, first -> new LinkedHashSet<>()).add(piece.key()));
        if (missing.isEmpty()) {
            ready.add(piece);
        }
    }

    private void run() {
        while (!waitsFor.isEmpty() && knots.isEmpty()) {
            Piece next = ready.poll();
            if (next == null) {
                untie(circle());
            } else {
                ordered.add(next);
                waitsFor.remove(next.key());
                Optional.ofNullable(waiters.remove(next.key()))
                        .ifPresent(keys -> keys.forEach(key -> forget(key, next.key())));
            }
        }
    }

    private void forget(PieceKey waiter, PieceKey made) {
        Set<PieceKey> missing = waitsFor.get(waiter);
        if (missing != null && missing.remove(made) && missing.isEmpty()) {
            ready.add(piece(waiter));
        }
    }

    /** Some pieces of which each waits for the next, and the last for the first. */
    private List<Piece> circle() {
        Comparator<PieceKey> byPriority = Comparator.comparing(this::piece, PRIORITY);
        PieceKey at = waitsFor.keySet().stream().min(byPriority).orElseThrow();
        LinkedHashSet<PieceKey> path = new LinkedHashSet<>();
        while (path.add(at)) {
            at = waitsFor.getOrDefault(at, Set.of()).stream().min(byPriority).orElseThrow();
        }
        List<PieceKey> walked = new ArrayList<>(path);
        return walked.subList(walked.indexOf(at), walked.size()).stream()
                .map(this::piece)
                .toList();
    }

    private void untie(List<Piece> circle) {
        Optional<Piece> replaceable = circle.stream()
                .filter(piece -> piece.stub().isPresent())
                .max(Comparator.comparing((Piece piece) -> piece.key().kind())
                        .thenComparing(Comparator.comparing(Piece::name).reversed()));
        if (replaceable.isEmpty()) {
            knots.add(circle);
            return;
        }
        Piece whole = replaceable.get();
        Piece stub = whole.stub().orElseThrow();
        Piece user = circle.get((circle.indexOf(whole) + circle.size() - 1) % circle.size());
        if (pieces.putIfAbsent(stub.key(), stub.in(whole.phase())) == null) {
            enqueue(stub);
            // The stand-in is made first, whoever needs it.
            waitFor(whole, stub);
        }
        Set<PieceKey> missing = waitsFor.getOrDefault(user.key(), Set.of());
        missing.remove(whole.key());
        waitFor(user, stub);
        if (missing.isEmpty()) {
            ready.add(user);
        }
    }

    private void waitFor(Piece piece, Piece other) {
        if (waitsFor.containsKey(other.key())) {
            waitsFor.getOrDefault(piece.key(), new LinkedHashSet<>()).add(other.key());
            waiters.computeIfAbsent(other.key(), first -> new LinkedHashSet<>()).add(piece.key());
        }
    }
}
