package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The connections of an event loop that no session holds; the one left last is taken first. Lives on that loop. */
final class IdleBackends {
    private final EventLoop loop;
    private final PoolLimits limits;
    private final PoolCount count;
    private final Deque<IdleBackend> idle = new ArrayDeque<>();
    private @Nullable ScheduledFuture<?> sweep;
    private boolean closed;

    IdleBackends(EventLoop loop, PoolLimits limits, PoolCount count) {
        this.loop = loop;
        this.limits = limits;
        this.count = count;
    }

    /** One that serves the request, best with the settings that are wanted, or null. */
    @Nullable
    IdleBackend take(Request request) {
        IdleBackend best = null;
        for (Iterator<IdleBackend> each = idle.descendingIterator(); each.hasNext(); ) {
            IdleBackend one = each.next();
            if (request.fits(one.backend(), one.key())) {
                boolean labelled = request.holder().isLabel(one.backend());
                best = labelled || best == null ? one : best;
                if (labelled) {
                    break;
                }
            }
        }
        if (best != null) {
            remove(best);
        }
        return best;
    }

    /** Those to a node, the one left first at the beginning. */
    List<IdleBackend> of(Node node) {
        return idle.stream()
                .filter(one -> Request.isSame(one.backend().node(), node))
                .toList();
    }

    /** All of them. */
    Collection<IdleBackend> all() {
        return idle;
    }

    /** Keeps one; ends it, or another, when there are too many. */
    void keep(IdleBackend one) {
        BackendConnection backend = one.backend();
        if (!keepsMore(backend)) {
            backend.terminate();
            return;
        }
        one.rest();
        idle.addLast(one);
        count.idle(backend.node().name(), 1);
        List<IdleBackend> same = of(backend.node());
        if (same.size() > limits.idleMax()) {
            end(same.getFirst());
        }
        if (sweep == null) {
            long pause = Math.max(1, limits.idleMillis() / 4);
            sweep = loop.scheduleWithFixedDelay(this::sweep, pause, pause, TimeUnit.MILLISECONDS);
        }
    }

    /** Whether a connection that is left is kept at all. */
    boolean keepsMore(BackendConnection backend) {
        return !closed && limits.idleMax() > 0 && !backend.isClosed() && !isOld(backend);
    }

    /** Forgets one. */
    void remove(IdleBackend one) {
        if (idle.remove(one)) {
            count.idle(one.backend().node().name(), -1);
        }
    }

    private void end(IdleBackend one) {
        remove(one);
        one.backend().terminate();
    }

    private boolean isOld(BackendConnection backend) {
        long tenth = limits.lifeMillis() / 10;
        long jitter = tenth == 0 ? 0 : Math.floorMod(System.identityHashCode(backend), tenth);
        return backend.ageMillis() > limits.lifeMillis() - jitter;
    }

    private void sweep() {
        for (IdleBackend one : List.copyOf(idle)) {
            if (one.idleMillis() > limits.idleMillis() || isOld(one.backend())) {
                end(one);
            }
        }
        ScheduledFuture<?> running = sweep;
        if (idle.isEmpty() && running != null) {
            running.cancel(false);
            sweep = null;
        }
    }

    /** Ends all, and from now on each that comes. */
    void close() {
        closed = true;
        List.copyOf(idle).forEach(this::end);
        sweep();
    }
}
