package dev.tenantry.client;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The connection can't be as secure as was asked for, whoever the server is; to try again is of no use. */
public final class InsecureException extends IOException {

    private static final long serialVersionUID = 1L;

    InsecureException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
    }
}
