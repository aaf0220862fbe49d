package dev.tenantry.control.move;

import java.util.Locale;

/**
 * How far a move is, as the catalog keeps it. A phase is noted before its work begins, so whoever takes the move over
 * knows what may be there. The order is that of the work.
 */
enum MovePhase {
    /** Nothing was done. */
    REQUESTED,
    /** Definition, publication, slot and subscription are being made. */
    CREATING,
    /** The rows are copied, all as one snapshot sees them; begun again from the start when interrupted until here. */
    COPYING,
    /** Indexes and what else comes after the rows is made on the target; changes wait on the source. */
    BUILDING,
    /** Both sides are compared at one moment. */
    VERIFYING,
    /** The schema is paused from time to time until the switch comes in time. */
    CUTTING_OVER,
    /** The schema is on its new node; only the remains are left to remove. */
    SWITCHED,
    /** All is done, but the old copy may still be kept. */
    DONE,
    /** What was made is being removed. */
    UNDOING,
    /** Undone because of an error. */
    FAILED,
    /** Undone because somebody wanted it. */
    CANCELLED;

    /** How the catalog writes it. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Reads what {@link #text} wrote. */
    static MovePhase of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }

    /** Whether a copy is being made, or is there and waits for the switch. */
    boolean isForward() {
        return this != REQUESTED && isBefore(SWITCHED);
    }

    /** Whether the move has ended. */
    boolean isOver() {
        return this == DONE || this == FAILED || this == CANCELLED;
    }

    /** Whether everything up to this phase is there when it is this one. */
    boolean isBefore(MovePhase other) {
        return compareTo(other) < 0;
    }
}
