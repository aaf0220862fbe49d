package dev.tenantry.check;

/** The cluster is not as it must be; the message says how. */
final class CheckFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CheckFailedException(String message) {
        super(message);
    }
}
