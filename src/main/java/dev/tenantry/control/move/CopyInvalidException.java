package dev.tenantry.control.move;

/** The copy is of no use any more, because the schema has changed or replication has stopped; a new one may be. */
final class CopyInvalidException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String detail;

    /**
     * With what happened.
     *
     * @param message for the requester, should it happen too often
     * @param detail one sentence more
     */
    CopyInvalidException(String message, String detail) {
        super(message);
        this.detail = detail;
    }

    String detail() {
        return detail;
    }
}
