package dev.tenantry.proxy.net;

/** The certificates or keys that the configuration names can't be used; the message says which and why. */
public final class TlsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TlsException(String message) {
        super(message);
    }

    TlsException(String message, Throwable cause) {
        super(message + ": " + cause.getMessage(), cause);
    }
}
