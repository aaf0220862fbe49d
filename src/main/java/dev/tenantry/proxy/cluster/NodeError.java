package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.Node;
import dev.tenantry.wire.ErrorFields;
import io.netty.buffer.Unpooled;
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

    /** The same, with the node's name behind what it says in detail. */
    NodeError on(Node node) {
        return new NodeError(ErrorFields.withLine(message, 'D', "Node \"" + node.name() + "\" has said so."));
    }

    String sqlState() {
        return ErrorFields.field(Unpooled.wrappedBuffer(message), 0, message.length, 'C');
    }

    /** The whole ErrorResponse message. */
    byte[] message() {
        return message.clone();
    }
}
