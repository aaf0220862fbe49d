package dev.tenantry.proxy.dispatch;

import dev.tenantry.proxy.backend.BackendConnector;
import dev.tenantry.proxy.pool.PinReason;
import dev.tenantry.proxy.pool.PoolCount;
import dev.tenantry.routing.Route;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What the proxy counts. Safe from any thread; on the way of every statement only adders and one timer are touched. */
public final class ProxyMetrics implements BackendConnector.BackendCount, PoolCount {
    private final MeterRegistry registry;
    private final AtomicInteger sessions = new AtomicInteger();
    private final AtomicInteger pauseWaiters = new AtomicInteger();
    private final Map<Route.Reason, LongAdder> routed = new EnumMap<>(Route.Reason.class);
    private final LongAdder bytesFromClients = new LongAdder();
    private final LongAdder bytesToClients = new LongAdder();
    private final Map<String, Counter> errors = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> backends = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> idle = new ConcurrentHashMap<>();
    private final Map<Cancel, Counter> cancels = new EnumMap<>(Cancel.class);
    private final Map<PinReason, Counter> pins = new EnumMap<>(PinReason.class);
    private final Timer proxyTime;
    private final Timer nodeTime;

    /** What became of a cancel request. */
    public enum Cancel {
        /** Carried out for a client of this proxy. */
        OWN,
        /** Another proxy was asked. */
        HANDED_ON,
        /** Carried out because another proxy has asked. */
        TAKEN,
        /** No session has that key. */
        UNKNOWN,
        /** Too many at a time, or there was no way to hand it on. */
        DROPPED
    }

    /** Registers the meters. */
    public ProxyMetrics(MeterRegistry registry) {
        this.registry = registry;
        Gauge.builder("tenantry.pause.waiters", pauseWaiters, AtomicInteger::get)
                .description("Sessions whose statement waits because its schema or node is paused")
                .register(registry);
        Gauge.builder("tenantry.sessions", sessions, AtomicInteger::get)
                .description("Client sessions that are signed in")
                .register(registry);
        for (Route.Reason reason : Route.Reason.values()) {
            LongAdder adder = new LongAdder();
            routed.put(reason, adder);
            io.micrometer.core.instrument.FunctionCounter.builder("tenantry.statements", adder, LongAdder::sum)
                    .description(
                            "Statements by why they went where they went; a prepared one each time that it is bound")
                    .tag("route", reason.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
        for (PinReason reason : PinReason.values()) {
            pins.put(
                    reason,
                    Counter.builder("tenantry.pins")
                            .description(
                                    "Times that something was found on a connection that keeps it with its session")
                            .tag("reason", reason.text())
                            .register(registry));
        }
        for (Cancel cancel : Cancel.values()) {
            cancels.put(
                    cancel,
                    Counter.builder("tenantry.cancels")
                            .description("Cancel requests by what became of them")
                            .tag("outcome", cancel.name().toLowerCase(Locale.ROOT))
                            .register(registry));
        }
        bytes("from_client", bytesFromClients);
        bytes("to_client", bytesToClients);
        proxyTime = timer("tenantry.proxy.time", "From a statement's arrival to its first byte on the way to a node");
        nodeTime = timer("tenantry.node.time", "From a statement's first byte on the way to a node to ReadyForQuery");
    }

    private Timer timer(String name, String description) {
        return Timer.builder(name)
                .description(description)
                .serviceLevelObjectives(
                        Duration.ofNanos(100_000),
                        Duration.ofMillis(1),
                        Duration.ofMillis(10),
                        Duration.ofMillis(100),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(10))
                .register(registry);
    }

    private void bytes(String direction, LongAdder adder) {
        io.micrometer.core.instrument.FunctionCounter.builder("tenantry.bytes", adder, LongAdder::sum)
                .description("Bytes of messages passed on")
                .tag("direction", direction)
                .baseUnit("bytes")
                .register(registry);
    }

    /** Sessions begin or end to wait for the end of a pause. */
    void waiting(int change) {
        pauseWaiters.addAndGet(change);
    }

    public void sessionOpened() {
        sessions.incrementAndGet();
    }

    public void sessionClosed() {
        sessions.decrementAndGet();
    }

    /** How many sessions are signed in. */
    public int sessions() {
        return sessions.get();
    }

    public void routed(Route.Reason reason) {
        LongAdder adder = routed.get(reason);
        if (adder != null) {
            adder.increment();
        }
    }

    public void fromClient(int bytes) {
        bytesFromClients.add(bytes);
    }

    public void toClient(int bytes) {
        bytesToClients.add(bytes);
    }

    /** An error went to a client; counted by SQLSTATE class. */
    public void error(String sqlState) {
        String sqlStateClass = sqlState.length() >= 2 ? sqlState.substring(0, 2) : "XX";
        errors.computeIfAbsent(
                        sqlStateClass,
                        name -> Counter.builder("tenantry.errors")
                                .description("Errors sent to clients, by SQLSTATE class")
                                .tag("sqlstate_class", name)
                                .register(registry))
                .increment();
    }

    @Override
    public void backends(String node, int change) {
        idle(node, 0); // is told of as well
        gauge(backends, node, "tenantry.backends", "Connections to nodes").addAndGet(change);
    }

    @Override
    public void idle(String node, int change) {
        gauge(idle, node, "tenantry.backends.idle", "Connections to nodes that no session holds")
                .addAndGet(change);
    }

    /** A cancel request has been dealt with. */
    public void cancel(Cancel outcome) {
        Counter counter = cancels.get(outcome);
        if (counter != null) {
            counter.increment();
        }
    }

    @Override
    public void pinned(PinReason reason) {
        Counter counter = pins.get(reason);
        if (counter != null) {
            counter.increment();
        }
    }

    private AtomicInteger gauge(Map<String, AtomicInteger> of, String node, String name, String description) {
        return of.computeIfAbsent(node, first -> {
            AtomicInteger value = new AtomicInteger();
            Gauge.builder(name, value, AtomicInteger::get)
                    .description(description)
                    .tag("node", node)
                    .register(registry);
            return value;
        });
    }

    /** A batch that arrived, was sent on (0 when the proxy answered by itself) and was answered at these times, ns. */
    public void answered(long askedNanos, long sentNanos, long answeredNanos) {
        if (sentNanos != 0) {
            proxyTime.record(Math.max(0, sentNanos - askedNanos), TimeUnit.NANOSECONDS);
            nodeTime.record(answeredNanos - sentNanos, TimeUnit.NANOSECONDS);
        }
    }
}
