package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Who holds which connection, and who waits for one. A session keeps its connections between its transactions, at no
 * cost, until another session needs one and there is none left: then one that rests is taken from its session, as it
 * is when nothing can be on it that the session could not have on another connection, or else after the node has been
 * asked whether there is. Lives on its event loop.
 */
final class SharedBackends {
    private final BackendPool pool;
    private final PoolLimits.Sharing limits;
    private final PoolCount count;
    private final Map<Integer, NodeShare> byNode = new HashMap<>();
    private final List<NodeShare> shares = new ArrayList<>();

    SharedBackends(BackendPool pool, PoolLimits.Sharing limits, PoolCount count) {
        this.pool = pool;
        this.limits = limits;
        this.count = count;
    }

    private boolean isOn() {
        return limits.isOn();
    }

    private NodeShare of(Node node) {
        return byNode.computeIfAbsent(node.nodeId(), id -> {
            NodeShare share = new NodeShare(id, pool, limits, count);
            shares.add(share);
            return share;
        });
    }

    /** A session wants a connection. */
    void ask(Request request) {
        if (!isOn()) {
            pool.lend(request);
            return;
        }
        NodeShare share = of(request.node());
        Held own = share.own(request);
        CompletableFuture<Boolean> check = own == null ? null : own.check();
        if (own == null || check == null) {
            share.ask(request);
            return;
        }
        check.thenAccept(returned -> {
            if (!returned) {
                share.ask(request);
            } else if (!request.opened().complete(own.backend())) {
                share.serve();
            }
        });
    }

    /** A session rests, and those who wait may have its connections. */
    void rested() {
        for (int i = 0; i < shares.size(); i++) { // comes with every answer of a node: nothing is allocated for it
            shares.get(i).serve();
        }
    }

    /** There is more room for connections to a node than there was. */
    void serve(Node node) {
        if (isOn()) {
            of(node).serve();
        }
    }

    /** Whether a connection may be opened; if not, the request waits again. */
    boolean begins(Request request) {
        return !isOn() || of(request.node()).begins(request);
    }

    /** It could not be opened. */
    void failed(Node node) {
        if (isOn()) {
            of(node).failed();
        }
    }

    /** A connection has ended. */
    void ended(BackendConnection backend) {
        if (isOn()) {
            of(backend.node()).ended(backend);
        }
    }

    /** A session holds the connection from now on. */
    void held(BackendConnection backend, Request request) {
        if (isOn()) {
            of(backend.node()).held(backend, request);
        }
    }

    /** The session does not hold it any more. */
    void left(BackendConnection backend) {
        if (isOn()) {
            of(backend.node()).left(backend);
        }
    }

    /** What is held and waited for now, beside these. */
    PoolContents contents(List<PoolContents.Unheld> unheld) {
        PoolContents contents = new PoolContents(new ArrayList<>(unheld), new ArrayList<>(), new HashMap<>());
        shares.forEach(share -> share.addTo(contents));
        return contents;
    }
}
