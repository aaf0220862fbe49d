package dev.tenantry.blueprint;

/** Somebody changed the schema while it was read; reading it again is all it takes. */
public final class DefinitionChangedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    DefinitionChangedException(String message) {
        super(message);
    }
}
