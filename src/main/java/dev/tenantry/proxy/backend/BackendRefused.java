package dev.tenantry.proxy.backend;

import dev.tenantry.catalog.Node;
import dev.tenantry.wire.SqlError;
import java.io.Serial;

/** A node could not be reached, or would not let us in. */
public final class BackendRefused extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Node node;
    private final transient SqlError error;

    /** A refusal that the client is told as this error. */
    public BackendRefused(Node node, SqlError error) {
        super(error.message(), null, false, false);
        this.node = node;
        this.error = error;
    }

    /** Which node. */
    public Node node() {
        return node;
    }

    /** What the client is told. */
    public SqlError error() {
        return error;
    }

    /** Whether the node did not answer at all, so that another one may be tried where any would do. */
    public boolean isUnreachable() {
        return error.sqlState().startsWith("08") || error.sqlState().startsWith("57P");
    }
}
