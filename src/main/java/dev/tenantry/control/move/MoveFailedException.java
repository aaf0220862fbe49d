package dev.tenantry.control.move;

import dev.tenantry.store.move.MoveStore.Failure;

/** A move can't be done as things are; it is undone, and its requester told. */
final class MoveFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    MoveFailedException(String sqlState, String message, String detail, String hint) {
        super(message);
        this.failure = new Failure(sqlState, message, detail, hint);
    }

    Failure failure() {
        return failure;
    }
}
