package dev.tenantry.proxy.session;

import dev.tenantry.wire.BackendType;

/** A reply that is owed: what the backend was sent, or what the proxy itself will say. */
public enum Expected {
    /** Query: anything up to ReadyForQuery. */
    QUERY,
    /** Query with one statement of a string that is run one by one: as QUERY, but its ReadyForQuery is swallowed. */
    QUERY_PART,
    /** The last of them, with which the transaction ends: its CommandComplete waits for the commit. */
    QUERY_LAST,
    /** BEGIN of our own as a Query. */
    BEGIN_QUERY,
    /** Parse or Bind of a BEGIN of our own, or Close behind it: ParseComplete, BindComplete or CloseComplete. */
    BEGIN_STEP,
    /** Execute of a BEGIN of our own, which no Sync follows: CommandComplete. */
    BEGIN,
    /** Parse: ParseComplete. */
    PARSE,
    /** Bind: BindComplete. */
    BIND,
    /** Describe: RowDescription or NoData, behind ParameterDescription for a statement. */
    DESCRIBE,
    /** Describe of our own, as DESCRIBE, whose answer decides about what comes next. */
    COMPARE,
    /** Execute: rows, then CommandComplete, EmptyQueryResponse or PortalSuspended. */
    EXECUTE,
    /** Close: CloseComplete. */
    CLOSE,
    /** Sync: ReadyForQuery. */
    SYNC,
    /** FunctionCall: FunctionCallResponse, then ReadyForQuery. */
    FUNCTION_CALL,
    /** Bytes of our own that leave when everything before them has been answered. */
    MADE_UP;

    /** Whether it belongs to a BEGIN of our own that no Sync follows. */
    boolean isBegin() {
        return this == BEGIN_STEP || this == BEGIN;
    }

    /** Whether it answers a Query. */
    boolean isQuery() {
        return this == QUERY || this == QUERY_PART || this == QUERY_LAST || this == BEGIN_QUERY;
    }

    /** Whether it answers a Describe. */
    boolean isDescription() {
        return this == DESCRIBE || this == COMPARE;
    }

    /** Whether it ends with ReadyForQuery. */
    boolean endsWithReady() {
        return isQuery() || this == SYNC || this == FUNCTION_CALL;
    }

    /** Whether the client is told this once for the whole string, or not before its transaction has committed. */
    boolean isToldLater(byte type) {
        return type == BackendType.READY_FOR_QUERY
                ? this == QUERY_PART || this == QUERY_LAST
                : type == BackendType.COMMAND_COMPLETE && this == QUERY_LAST;
    }

    /** What is prepared or closed counts in the same batch, before it is confirmed; most else is waited for. */
    boolean countsAsPending() {
        return this != PARSE && this != CLOSE && this != DESCRIBE;
    }
}
