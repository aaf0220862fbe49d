package dev.tenantry.embedded;

import java.io.Serial;

/** Why the embedded cluster can't be had: one sentence for the person who started it, with the remedy if known. */
public final class EmbeddedException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    EmbeddedException(String sentence) {
        super(sentence);
    }

    EmbeddedException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
