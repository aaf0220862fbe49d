package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.wire.SqlErrorException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The portals that a client has bound and whose transaction has not ended, by name. A client that pipelines binds the
 * next ones before it hears that the transaction of the last ones is over, so each carries the number of the reply that
 * was noted last when it was bound. The unnamed portal allocates nothing. Not thread-safe; lives on the client's event
 * loop.
 */
final class Portals {
    private final Portal unnamed = new Portal();
    private final Map<String, Portal> named = new LinkedHashMap<>();
    private boolean unnamedBound;
    private boolean unnamedUnknown;

    /** What was bound, as far as we need it. */
    static final class Portal {
        private @Nullable Prepared statement;
        private BoundParameters parameters = BoundParameters.NONE;
        private long boundAt;
        private boolean begun;
        private boolean done;
        private @Nullable OwnResult own;
        private @Nullable Node node;

        /** Where it is, if on a node at all. */
        @Nullable
        Node node() {
            return node;
        }

        /** It is on this node. */
        void on(Node bound) {
            node = bound;
        }

        boolean isOn(Node other) {
            return node != null && node.nodeId() == other.nodeId();
        }

        /** What it runs. */
        Prepared statement() {
            if (statement == null) {
                throw new IllegalStateException("nothing is bound");
            }
            return statement;
        }

        /** The values that we read of its Bind. */
        BoundParameters parameters() {
            return parameters;
        }

        /** The rows that the proxy itself answers it with, if it does. */
        @Nullable
        OwnResult own() {
            return own;
        }

        /** It is answered by the proxy itself. */
        void own(@Nullable OwnResult result) {
            own = result;
        }

        /** It is run, up to so many rows, or to its end if that is 0. */
        void run(int rowsMax) {
            begun = true;
            done |= rowsMax == 0;
        }

        /** Whether it was run on a node before: what it does beside its rows is done. */
        boolean isBegun() {
            return begun;
        }

        /** Whether it was run here, which can be done once; on a node, whether to its end. */
        boolean isDone() {
            return done;
        }

        /** It was run here. */
        void run() {
            done = true;
        }
    }

    /** A portal is bound. {@code repliesNoted} is the number of the reply that was noted last. */
    Portal bind(String name, Prepared statement, BoundParameters parameters, long repliesNoted) {
        Portal portal = unnamed;
        if (name.isEmpty()) {
            unnamedBound = true;
            unnamedUnknown = false;
        } else {
            named.remove(name); // the order of the map is the order of the numbers
            portal = new Portal();
            named.put(name, portal);
        }
        portal.statement = statement;
        portal.parameters = parameters;
        portal.boundAt = repliesNoted;
        portal.begun = false;
        portal.done = false;
        portal.own = null;
        portal.node = null;
        return portal;
    }

    /** A portal is bound to a statement that only the node can know. */
    void bindUnknown(String name) {
        remove(name);
        unnamedUnknown |= name.isEmpty();
    }

    /**
     * A portal is about to be bound on this node.
     *
     * @throws SqlErrorException when one on another node of the block has the name
     */
    void requireFree(String name, Node node) {
        Portal other = named.get(name);
        if (other != null && other.node != null && !other.isOn(node)) {
            throw new SqlErrorException(SqlErrors.cursorExists(name));
        }
    }

    /** Whether the unnamed portal of a node, if it has one, is not the client's. */
    boolean hasNoUnnamed() {
        return !unnamedBound && !unnamedUnknown;
    }

    /** The portal of that name, if one is bound. */
    @Nullable
    Portal get(String name) {
        if (name.isEmpty()) {
            return unnamedBound ? unnamed : null;
        }
        return named.get(name);
    }

    /** Whether one of them is on this node. */
    boolean hasAnyOn(Node node) {
        return unnamedBound && unnamed.isOn(node) || named.values().stream().anyMatch(portal -> portal.isOn(node));
    }

    /** Whether one with a name, which the next message does not replace, is on this node and not run to its end. */
    boolean hasNamedOn(Node node) {
        return named.values().stream().anyMatch(portal -> portal.isOn(node) && !portal.isDone());
    }

    /** Whether none of them has anything left to give. */
    boolean areDone() {
        return (!unnamedBound || unnamed.isDone()) && named.values().stream().allMatch(Portal::isDone);
    }

    /** How many are bound. */
    int size() {
        return named.size() + (unnamedBound ? 1 : 0);
    }

    /** It is closed. */
    void remove(String name) {
        if (name.isEmpty()) {
            forgetUnnamed();
        } else {
            named.remove(name);
        }
    }

    /** A transaction has ended with the reply of that number; so have the portals that were bound before it. */
    void transactionEnded(long reply) {
        if (unnamedBound && unnamed.boundAt <= reply) {
            forgetUnnamed();
        }
        if (!named.isEmpty()) {
            Iterator<Portal> oldest = named.values().iterator();
            while (oldest.hasNext() && oldest.next().boundAt <= reply) {
                oldest.remove();
            }
        }
    }

    /** No transaction is open, so no portal is. */
    void clear() {
        forgetUnnamed();
        unnamedUnknown = false;
        named.clear();
    }

    private void forgetUnnamed() {
        unnamedBound = false;
        unnamed.statement = null;
        unnamed.own = null;
        unnamed.node = null;
        unnamed.parameters = BoundParameters.NONE;
    }
}
