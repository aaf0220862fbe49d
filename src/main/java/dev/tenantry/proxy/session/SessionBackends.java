package dev.tenantry.proxy.session;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendListener;
import dev.tenantry.proxy.pool.BackendHolder;
import dev.tenantry.proxy.pool.BackendPool;
import dev.tenantry.proxy.pool.PinReason;
import dev.tenantry.proxy.pool.PoolKey;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The connections to nodes that one session holds, at most one a node: it takes them from the pool and gives them back
 * when it ends. This is the seam where transaction pooling gives back earlier. Lives on the client's event loop.
 */
public final class SessionBackends implements BackendHolder {
    private final BackendPool pool;
    private final PoolKey key;
    private final ScramClient.Credentials credentials;
    private final Map<Integer, BackendConnection> byNode = new HashMap<>();
    private final List<CompletableFuture<BackendConnection>> opening = new ArrayList<>();
    private @Nullable BackendConnection active;
    private boolean unsynced;
    private boolean executed;
    private boolean flushSent;
    private volatile boolean abandoned;
    private final long keptNanos = System.nanoTime();
    private @Nullable Node last;
    private boolean lastTaken;
    private @Nullable BackendListener listener;
    private @Nullable Owner owner;
    private final Map<BackendConnection, Map<PinReason, Long>> pins = new HashMap<>();

    public SessionBackends(BackendPool pool, PoolKey key, ScramClient.Credentials credentials) {
        this.pool = pool;
        this.key = key;
        this.credentials = credentials;
    }

    /** What the pool must know of the session that has connections. */
    public interface Owner {
        /** Whether the session could do without one of them now, as far as it knows itself. */
        boolean canDoWithout(BackendConnection backend);

        /** Whether it has a transaction open that some of them have a part in. */
        boolean holdsInTransaction();

        /** Since when it does what it does, of {@link System#nanoTime()}. */
        long sinceNanos();

        /** Whether it has asked to keep its connections between its transactions. */
        boolean keepsConnections();

        /** Whether it has ever set a setting with a prefix. */
        boolean usesCustomSettings();

        /** Whether this label of a connection tells the settings that the session needs. */
        boolean isLabel(@Nullable Object label);

        /** The first schema of its search_path, or nothing. */
        String schema();
    }

    /** The session that they belong to. */
    public void belongTo(BackendListener session, Owner its) {
        listener = session;
        owner = its;
    }

    /** A statement is about to run on the active one, and may leave something there. */
    public void runs(StatementFacts facts) {
        BackendConnection on = active;
        if (on == null) {
            return;
        }
        StatementFacts.Traces traces = facts.traces();
        if (traces != StatementFacts.Traces.NONE) {
            if (traces.possible()) {
                on.trace(traces.settings());
            }
            if (traces.seeds()) {
                on.spoil();
                pin(on, PinReason.SEED);
            }
            if (traces.usesSequences()) {
                usesSequences(on, traces.readsSequences());
            }
            if (traces.changesRoutines()) {
                pool.changesRoutines(on.node());
            }
        }
    }

    /** Something is about to run on the active one of which nothing is known. */
    public void runsUnknown() {
        if (active != null) {
            active.trace();
            active.sequenced(true);
        }
    }

    /** Whoever asks once for what a sequence gave keeps its connections from then on, and so do others of its role. */
    private void usesSequences(BackendConnection on, boolean reads) {
        on.sequenced(true);
        if (reads) {
            pool.readsSequences(key.role().name());
        }
        if (pool.isSequenceReader(key.role().name())) {
            pin(on, PinReason.SEQUENCES);
        }
    }

    private void pin(BackendConnection backend, PinReason reason) {
        if (pool.isSharing()
                && pins.computeIfAbsent(backend, its -> new EnumMap<>(PinReason.class))
                                .putIfAbsent(reason, System.nanoTime())
                        == null) {
            pool.pinned(reason);
        }
    }

    @Override
    public boolean holdsInTransaction() {
        return owner != null && owner.holdsInTransaction();
    }

    @Override
    public long restsSinceNanos() {
        return owner == null ? System.nanoTime() : owner.sinceNanos();
    }

    @Override
    public String tenant() {
        return key.role().name() + "." + (owner == null ? "" : owner.schema());
    }

    @Override
    public boolean isLabel(BackendConnection backend) {
        return owner != null && owner.isLabel(backend.label());
    }

    @Override
    public boolean usesCustomSettings() {
        return owner != null && owner.usesCustomSettings();
    }

    @Override
    public Map<PinReason, Long> pins(BackendConnection backend) {
        Map<PinReason, Long> own = pins.getOrDefault(backend, Map.of());
        if (owner == null || !pool.isSharing() || !owner.keepsConnections()) {
            return own;
        }
        Map<PinReason, Long> all = new EnumMap<>(PinReason.class);
        all.putAll(own);
        all.put(PinReason.SESSION_MODE, keptNanos);
        return all;
    }

    public EventLoop loop() {
        return pool.loop();
    }

    /** The node that the client's messages went to last, though there may be no connection to it now. */
    @Nullable
    public Node last() {
        return last;
    }

    /** Whether another session has the connection now that the client's messages went to last. */
    public boolean isLastTaken() {
        return lastTaken;
    }

    /** The session has begun to rest: others may have its connections. */
    public void rested() {
        pool.rested();
    }

    @Override
    public boolean rests(BackendConnection backend) {
        return byNode.get(backend.node().nodeId()) == backend
                && !abandoned
                && !(backend == active && unsynced)
                && backend.status() == BackendConnection.IDLE
                && !backend.isInCall()
                && !backend.isInsideBody()
                && !pins.containsKey(backend)
                && owner != null
                && !owner.keepsConnections()
                && owner.canDoWithout(backend);
    }

    @Override
    public Map<String, Optional<String>> knownSettings(BackendConnection backend) {
        Map<String, Optional<String>> known = new TreeMap<>();
        if (backend.label() instanceof Map<?, ?> settings) {
            settings.forEach((name, value) -> known.put(
                    String.valueOf(name),
                    value instanceof SessionSettings.Value its ? Optional.ofNullable(its.text()) : Optional.empty()));
        }
        return known;
    }

    @Override
    public void taken(BackendConnection backend) {
        noteCustomSettings(backend);
        lastTaken |= backend == active;
        lost(backend);
    }

    private void noteCustomSettings(BackendConnection backend) {
        if (usesCustomSettings()) {
            backend.customized();
        }
    }

    @Override
    public boolean returned(BackendConnection backend) {
        BackendListener session = listener;
        if (abandoned || session == null || byNode.containsKey(backend.node().nodeId())) {
            return false;
        }
        backend.attach(session);
        byNode.put(backend.node().nodeId(), backend);
        return true;
    }

    /** The backend that the client's messages go to now. */
    @Nullable
    public BackendConnection active() {
        return active;
    }

    public void activate(BackendConnection backend) {
        active = backend;
        last = backend.node();
        lastTaken = false;
        unsynced = false;
        executed = false;
        flushSent = false;
    }

    /** What they were opened with. */
    public PoolKey key() {
        return key;
    }

    /** The open connection to a node, if there is one. */
    @Nullable
    public BackendConnection of(Node node) {
        return byNode.get(node.nodeId());
    }

    public Collection<BackendConnection> all() {
        return byNode.values();
    }

    /** Whether a connection is being opened, or waited for. */
    public boolean isOpening() {
        return !opening.isEmpty();
    }

    /** Opens the connection to a node and keeps it. */
    public CompletableFuture<BackendConnection> open(Node node, BackendListener session) {
        CompletableFuture<BackendConnection> opened = pool.open(node, key, credentials, this);
        opening.add(opened);
        return opened.whenComplete((backend, problem) -> opening.removeIf(CompletableFuture::isDone))
                .thenApply(backend -> {
                    if (abandoned) {
                        pool.give(backend, key);
                        throw new SqlErrorException(SqlErrors.lost(node)); // nobody is left to hear it
                    }
                    backend.attach(session);
                    byNode.put(node.nodeId(), backend);
                    return backend;
                });
    }

    /** Gives up on connections that are being opened; who waits for one is told why. */
    private void giveUpOpening(SqlError why) {
        new ArrayList<>(opening).forEach(opened -> opened.completeExceptionally(new SqlErrorException(why)));
    }

    /**
     * Asks the nodes to cancel what runs; completes when all have taken notice. Connections that are being opened are
     * given up at once.
     *
     * @param activeOwes whether the active backend owes the client replies
     */
    public CompletableFuture<Void> cancelRunning(boolean activeOwes) {
        CompletableFuture<Void> all = CompletableFuture.allOf(byNode.values().stream()
                .filter(backend -> backend == active && activeOwes || backend.isInCall())
                .map(this::cancel)
                .toArray(CompletableFuture[]::new));
        giveUpOpening(SqlErrors.cancelled());
        return all;
    }

    /** Asks the node to cancel what the backend runs. */
    public CompletableFuture<Void> cancel(BackendConnection backend) {
        return pool.connector().cancel(backend);
    }

    /** Forgets a connection that has ended. */
    public void lost(BackendConnection backend) {
        byNode.remove(backend.node().nodeId(), backend);
        pins.remove(backend);
        if (active == backend) {
            active = null;
            unsynced = false;
            executed = false;
        }
    }

    /** The client has discarded all it did to its session on the active connection; ends the others. */
    public void discardedAll() {
        pins.clear();
        for (BackendConnection backend : new ArrayList<>(byNode.values())) {
            if (backend != active) {
                byNode.remove(backend.node().nodeId());
                backend.terminate();
            }
        }
    }

    /**
     * Leaves every connection because the client is gone. One that is busy is told to stop, so that the node does not
     * go on for nobody; one that is in a transaction is ended, which rolls it back.
     *
     * @param busy whether the active backend owes replies
     * @param reusable whether others may have them: nothing that concerns them is still on its way to a node
     */
    public void abandonAll(boolean busy, boolean reusable) {
        boolean custom = usesCustomSettings();
        BackendConnection was = active;
        abandoned = true;
        active = null;
        for (BackendConnection backend : new ArrayList<>(byNode.values())) {
            if (busy && backend == was || backend.isInCall()) {
                pool.connector().cancel(backend).whenComplete((done, problem) -> backend.close());
            } else if (reusable
                    && (!custom || pool.isSharing())
                    && backend.status() == BackendConnection.IDLE
                    && !(backend == was && unsynced)) {
                noteCustomSettings(backend);
                pool.give(backend, key);
            } else {
                backend.terminate();
            }
        }
        byNode.clear();
        pins.clear();
        giveUpOpening(SqlErrors.cancelled()); // nobody is left to hear it
    }

    /** Whether the client is gone. Safe from any thread. */
    public boolean isAbandoned() {
        return abandoned;
    }

    /** Whether the active backend has been sent extended messages without a Sync. */
    public boolean isUnsynced() {
        return unsynced;
    }

    /** Whether one of them was an Execute, so that an implicit transaction is open there. */
    public boolean isExecuted() {
        return executed;
    }

    /** An extended message goes to the active backend. */
    public void extended(boolean execute) {
        unsynced = true;
        executed |= execute;
        flushSent = false;
    }

    /** A Flush must be sent to see the replies of the batch; told once. */
    public boolean needsFlush() {
        boolean needs = unsynced && !flushSent;
        flushSent = true;
        return needs;
    }

    /** Sync goes to the active backend. */
    public void synced() {
        unsynced = false;
        executed = false;
        flushSent = false;
    }
}
