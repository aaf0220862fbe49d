package dev.tenantry.store;

/** A server could not be reached, did not answer in time, or went away: the world's fault, and worth another try. */
public final class CatalogUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** With what was asked, and why nobody answers. */
    public CatalogUnavailableException(String message) {
        super(message);
    }

    /** With what was asked of which server, and why it failed. */
    public CatalogUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
