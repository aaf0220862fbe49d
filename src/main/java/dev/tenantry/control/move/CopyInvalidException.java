package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.store.StatementRefusedException;

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

    /** The definition of a schema that moves is not what it was. */
    static CopyInvalidException changed(String schema, String detail) {
        return new CopyInvalidException("schema %s was changed while it was being moved".formatted(schema), detail);
    }

    /** This, if a statement about a schema that moves was refused because its definition is not what it was. */
    static RuntimeException unlessOther(StatementRefusedException refused, String schema) {
        return SqlStates.isOfDefinition(refused.sqlState())
                ? changed(schema, String.valueOf(refused.getMessage()))
                : refused;
    }

    /**
     * This, if rows could not be read or written for what is so, or said to be so, at that moment: what tables call
     * decides the error that they get, so it is not for ever that it is tried again.
     */
    static RuntimeException unlessLasting(StatementRefusedException refused, String schema) {
        return SqlStates.isOfMoment(refused.sqlState())
                ? new CopyInvalidException(
                        "the rows of schema %s could not be copied".formatted(schema),
                        String.valueOf(refused.getMessage()))
                : unlessOther(refused, schema);
    }

    String detail() {
        return detail;
    }
}
