package dev.tenantry.proxy.session;

/** A reply that is owed: what the backend was sent, or what the proxy itself will say. */
public enum Expected {
    /** Query: anything up to ReadyForQuery. */
    QUERY,
    /** Query with one statement of a string that is run one by one: as QUERY, but its ReadyForQuery is swallowed. */
    QUERY_PART,
    /** The last of them, with which the transaction ends: its CommandComplete waits for the commit. */
    QUERY_LAST,
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
    MADE_UP
}
