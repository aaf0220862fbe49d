package dev.tenantry.proxy.net;

import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/** The certificates or keys that the configuration names can't be used; the message says which and why. */
public final class TlsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TlsException(String message) {
        super(message);
    }

    TlsException(String message, Throwable cause) {
        super(message + ": " + reason(cause), cause);
    }

    /** The platform says by the exception's class alone why it can't read a file. */
    private static @Nullable String reason(Throwable cause) {
        return switch (cause) {
            case NoSuchFileException missing -> "No such file or directory";
            case AccessDeniedException denied -> "Permission denied";
            default -> cause.getMessage();
        };
    }
}
