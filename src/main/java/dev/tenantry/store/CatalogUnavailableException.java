package dev.tenantry.store;

/** A server could not be reached, did not answer in time, or went away: the world's fault, and worth another try. */
public final class CatalogUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String sqlState;

    /** With what was asked, and why nobody answers. */
    public CatalogUnavailableException(String message) {
        super(message);
        this.sqlState = "";
    }

    /** With what was asked of which server, and why it failed. */
    public CatalogUnavailableException(String message, Throwable cause) {
        this(message, "", cause);
    }

    /** The same with what the server itself has said of it. */
    CatalogUnavailableException(String message, String sqlState, Throwable cause) {
        super(message, cause);
        this.sqlState = sqlState;
    }

    /** Five characters, if the server has answered; else empty. */
    public String sqlState() {
        return sqlState;
    }
}
