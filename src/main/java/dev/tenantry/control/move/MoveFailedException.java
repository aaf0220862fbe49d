package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.SignInRefusedException;
import dev.tenantry.store.move.MoveStore.Failure;

/** A move can't be done as things are; it is undone, and its requester told. */
final class MoveFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    MoveFailedException(String sqlState, String message, String detail, String hint) {
        super(message);
        this.failure = new Failure(sqlState, message, detail, hint);
    }

    /** A node does not let the roles in that rows are read and written as. */
    static MoveFailedException signIn(MoveConnections connections, String schema, SignInRefusedException refused) {
        return new MoveFailedException(
                refused.refused().sqlState(),
                "schema %s cannot be moved: node \"%s\" lets no role sign in that has the rights of its tables' owners"
                        .formatted(
                                schema,
                                (refused.isAt(connections.sourceAddress())
                                                ? connections.sourcePlace()
                                                : connections.targetPlace())
                                        .name()),
                refused.refused().error(),
                "Rows are read and written in the names of their tables' owners. Let pg_hba.conf there admit roles"
                        + " called %s... by scram-sha-256 from where the proxies run."
                                .formatted(connections.names().logins()));
    }

    Failure failure() {
        return failure;
    }
}
