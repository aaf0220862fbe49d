package dev.tenantry.check;

import java.util.List;

/**
 * A transfer as a client says it.
 *
 * @param transfer what it is about
 * @param way how it is said
 * @param steps in their order
 * @param end what becomes of it if nothing goes wrong
 */
record Script(Transfer transfer, Way way, List<Said> steps, End end) {
    Script {
        steps = List.copyOf(steps);
    }

    /** How statements are said. */
    enum Way {
        /** Each in a Query. */
        SIMPLE,
        /** Each parsed without a name, with a Sync of its own. */
        EXTENDED,
        /** Those with parameters prepared by name before; with a Sync of its own each. */
        PREPARED,
        /** All in one Query. */
        STRING,
        /** All before one Sync. */
        BATCH,
        /** All in one Query, without BEGIN and COMMIT. */
        IMPLICIT_STRING,
        /** All before one Sync, without BEGIN and COMMIT. */
        IMPLICIT_BATCH;

        boolean isTogether() {
            return this == STRING || this == BATCH || isImplicit();
        }

        boolean isImplicit() {
            return this == IMPLICIT_STRING || this == IMPLICIT_BATCH;
        }
    }

    /** How a transfer ends. */
    enum End {
        /** It is committed. */
        COMMIT,
        /** It is rolled back. */
        ROLLBACK,
        /** A statement fails, whereupon COMMIT rolls back. */
        FAILURE,
        /** The client goes before it has said COMMIT. */
        LEAVE,
        /** The client says COMMIT and goes without waiting for the answer. */
        LEAVE_AT_COMMIT
    }

    /**
     * One statement.
     *
     * @param sql with its values
     * @param name of the same statement with parameters; empty if it has none
     * @param parameters their values
     * @param expected the tag, or the SQLSTATE of the error that it must give
     */
    record Said(String sql, String name, List<String> parameters, String expected) {
        Said {
            parameters = List.copyOf(parameters);
        }

        static Said of(String sql, String expected) {
            return new Said(sql, "", List.of(), expected);
        }

        boolean commits() {
            return sql.equals("COMMIT");
        }
    }

    /** At which of the steps it is committed. */
    int commitsAt() {
        return way.isImplicit() ? steps.size() - 1 : steps.indexOf(Said.of("COMMIT", "COMMIT"));
    }

    /** The steps as they are sent: those of one element before anything is heard. */
    List<List<Said>> parts() {
        return way.isTogether() ? List.of(steps) : steps.stream().map(List::of).toList();
    }

    @Override
    public String toString() {
        return way + " " + end + " " + steps.stream().map(Said::sql).toList();
    }
}
