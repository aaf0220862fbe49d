package dev.tenantry.sql;

/** Follows {@code CREATE FUNCTION ... BEGIN ATOMIC ...; END}, also one inside the other; sees depth 0 only. */
final class RoutineBodies {
    private static final int START = 0;
    private static final int CREATE = 1;
    private static final int ROUTINE = 2;
    private static final int OTHER = 3;

    private int open;
    private int head;
    private boolean afterBegin;
    private boolean atBoundary;

    void begin() {
        open = 0;
        head = START;
        afterBegin = false;
        atBoundary = false;
    }

    boolean isOpen() {
        return open > 0;
    }

    /** A semicolon inside a body. */
    void separator() {
        head = START;
        afterBegin = false;
        atBoundary = true;
    }

    void token(Keyword keyword) {
        boolean boundary = atBoundary;
        boolean begun = afterBegin;
        atBoundary = false;
        afterBegin = false;
        if (boundary && open > 0 && keyword == Keyword.END) {
            open--;
            head = OTHER;
        } else if (head == ROUTINE) {
            if (begun && keyword == Keyword.ATOMIC) {
                open++;
                separator();
            } else {
                afterBegin = keyword == Keyword.BEGIN;
            }
        } else if (head == START) {
            head = keyword == Keyword.CREATE ? CREATE : OTHER;
        } else if (head == CREATE) {
            head = switch (keyword) {
                case OR, REPLACE -> CREATE;
                case FUNCTION, PROCEDURE -> ROUTINE;
                default -> OTHER;
            };
        }
    }
}
