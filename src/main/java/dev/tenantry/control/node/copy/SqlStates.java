package dev.tenantry.control.node.copy;

import java.util.Set;

/** SQLSTATEs that moves know; "PostgreSQL Error Codes" in the manual. */
public final class SqlStates {

    public static final String LOCK_NOT_AVAILABLE = "55P03";
    public static final String QUERY_CANCELED = "57014";
    public static final String DEADLOCK = "40P01";
    public static final String UNIQUE_VIOLATION = "23505";
    public static final String DUPLICATE_SCHEMA = "42P06";
    public static final String UNDEFINED_OBJECT = "42704";
    public static final String DUPLICATE_OBJECT = "42710";
    public static final String CONNECTION_FAILURE = "08006";
    public static final String FEATURE_NOT_SUPPORTED = "0A000";
    public static final String NOT_IN_PREREQUISITE_STATE = "55000";
    public static final String IN_USE = "55006";
    public static final String INSUFFICIENT_RESOURCES = "53000";
    public static final String LIMIT_EXCEEDED = "53400";

    /** The class of what is said to who may not sign in. */
    public static final String INVALID_AUTHORIZATION = "28";

    /** A lock did not come in time, for whatever reason. */
    public static final Set<String> IN_THE_WAY = Set.of(LOCK_NOT_AVAILABLE, QUERY_CANCELED, DEADLOCK);

    /** Whether a name does not stand for what it stood for: classes 42 and 3F, and what {@link TablesOnly} gets. */
    public static boolean isOfDefinition(String sqlState) {
        return sqlState.startsWith("42") || sqlState.startsWith("3F") || sqlState.equals(NOT_IN_PREREQUISITE_STATE);
    }

    /** Whether it is said of a connection, or of what is in the way of others; who raises an error can say so, too. */
    public static boolean isOfMoment(String sqlState) {
        return IN_THE_WAY.contains(sqlState)
                || sqlState.startsWith("08")
                || sqlState.startsWith("57P0")
                || sqlState.startsWith(INVALID_AUTHORIZATION)
                || sqlState.equals("53300");
    }

    private SqlStates() {}
}
