package dev.tenantry.sql;

/**
 * What a statement is, as far as routing, transactions and session state care. The names follow the command tags of
 * PostgreSQL ("SQL Commands" of its manual).
 */
public enum StatementKind {
    /** Only blanks, comments or nothing. */
    EMPTY,
    SELECT,
    VALUES,
    TABLE,
    INSERT,
    UPDATE,
    DELETE,
    MERGE,
    COPY_FROM,
    COPY_TO,
    /** CREATE TABLE ... AS EXECUTE and EXPLAIN EXECUTE keep the outer kind; the action tells the prepared name. */
    EXPLAIN,
    CALL,
    DO,
    /** DDL of any object that is not named below: the node's own business. */
    DDL,
    CREATE_SCHEMA,
    DROP_SCHEMA,
    ALTER_SCHEMA,
    /** GRANT or REVOKE ... ON SCHEMA, COMMENT ON SCHEMA, SECURITY LABEL ON SCHEMA. */
    ON_SCHEMA,
    /** Roles, role membership, role and database settings, extensions: the same on every node. */
    GLOBAL_DDL,
    /** Other statements about things that belong to a whole server (CREATE DATABASE, ALTER SYSTEM, CHECKPOINT ...). */
    SERVER,
    SET,
    RESET,
    SHOW,
    BEGIN,
    COMMIT,
    ROLLBACK,
    SAVEPOINT,
    RELEASE,
    ROLLBACK_TO,
    PREPARE_TRANSACTION,
    COMMIT_PREPARED,
    ROLLBACK_PREPARED,
    SET_TRANSACTION,
    SET_CONSTRAINTS,
    PREPARE,
    EXECUTE,
    DEALLOCATE,
    DECLARE,
    FETCH,
    CLOSE,
    LISTEN,
    UNLISTEN,
    NOTIFY,
    DISCARD,
    LOCK,
    VACUUM,
    ANALYZE,
    /** Starts with a word we do not know: the node will say what is wrong with it. */
    UNKNOWN
}
