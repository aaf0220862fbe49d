package dev.tenantry.proxy.backend;

import dev.tenantry.catalog.Node;
import java.io.Serial;

/** A node's connection ended while something was expected of it. */
public final class BackendLost extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Node node;

    BackendLost(Node node) {
        super("connection to node " + node.name() + " was lost", null, false, false);
        this.node = node;
    }

    /** The node it was. */
    public Node node() {
        return node;
    }
}
