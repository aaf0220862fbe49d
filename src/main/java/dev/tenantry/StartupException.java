package dev.tenantry;

import java.io.Serial;

/** Why the service could not start: one sentence for the person who started it. */
public final class StartupException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    StartupException(String sentence) {
        super(sentence);
    }

    StartupException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
