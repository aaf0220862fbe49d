package dev.tenantry.proxy.cluster;

import java.io.Serial;

/** A node said no; its own message goes to the client. */
final class NodeError extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient byte[] message;

    NodeError(byte[] message) {
        super("a node reported an error", null, false, false);
        this.message = message.clone();
    }

    /** The whole ErrorResponse message. */
    byte[] message() {
        return message.clone();
    }
}
