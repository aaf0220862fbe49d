package dev.tenantry.sql;

import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import java.util.List;
import java.util.Optional;

/**
 * What a statement asks of the session itself, beside being run on a node. A statement that the scan does not
 * understand to its last token has {@link None}: it goes to a node unchanged, and PostgreSQL says what is wrong with
 * it.
 */
public sealed interface StatementAction {

    /** Nothing: the node's own business. */
    record None() implements StatementAction {}

    // --- settings ---------------------------------------------------------------------------------------------------

    /**
     * SET [SESSION | LOCAL] name {TO | =} value. Names are in lower case; TIME ZONE, NAMES, ROLE and SESSION
     * AUTHORIZATION appear as {@code timezone}, {@code client_encoding}, {@code role}, {@code session_authorization}.
     */
    record SetVariable(String name, boolean local, SettingValue value) implements StatementAction {
        /** The name under which SET CONSTRAINTS ALL is known, which no setting has. */
        public static final String CONSTRAINTS = "constraints";
    }

    /** RESET name, or SET name TO DEFAULT. */
    record ResetVariable(String name, boolean local) implements StatementAction {}

    /** RESET ALL. */
    record ResetAll() implements StatementAction {}

    /** SET SESSION CHARACTERISTICS AS TRANSACTION: each named mode as the setting it changes. */
    record SessionCharacteristics(List<SetVariable> settings) implements StatementAction {}

    /** The value of a SET, in the form that {@code set_config} takes. */
    sealed interface SettingValue {
        /** A value that {@code set_config($1, $2, ...)} takes as it is; lists are joined and quoted as PostgreSQL's
         * {@code flatten_set_variable_args} does. */
        record Text(String text) implements SettingValue {}

        /** A value that only the statement itself can express (for example an interval time zone). */
        record StatementOnly() implements SettingValue {}
    }

    // --- transactions -----------------------------------------------------------------------------------------------

    /**
     * BEGIN or START TRANSACTION.
     *
     * @param modes each named mode as the setting it changes, {@code transaction_isolation} and its like
     */
    record Begin(boolean startTransaction, List<SetVariable> modes) implements StatementAction {}

    /** SET TRANSACTION with modes, not with a snapshot: each named mode as the setting it changes. */
    record SetTransaction(List<SetVariable> modes) implements StatementAction {}

    /** COMMIT or END. */
    record Commit(boolean chain) implements StatementAction {}

    /** ROLLBACK or ABORT. */
    record Rollback(boolean chain) implements StatementAction {}

    /** SAVEPOINT name. */
    record Savepoint(String name) implements StatementAction {}

    /** RELEASE [SAVEPOINT] name. */
    record Release(String name) implements StatementAction {}

    /** ROLLBACK ... TO [SAVEPOINT] name. */
    record RollbackTo(String name) implements StatementAction {}

    /** PREPARE TRANSACTION 'gid'. */
    record PrepareTransaction(String gid) implements StatementAction {}

    /** COMMIT PREPARED 'gid' or ROLLBACK PREPARED 'gid'. */
    record FinishPrepared(String gid) implements StatementAction {}

    // --- prepared statements ----------------------------------------------------------------------------------------

    /** PREPARE name [(types)] AS statement; the facts' names are those of the inner statement. */
    record Prepare(String name) implements StatementAction {}

    /**
     * EXECUTE name, also inside EXPLAIN or CREATE TABLE AS.
     *
     * @param arguments its first arguments, those that are literals with their text
     */
    record Execute(String name, List<Argument> arguments) implements StatementAction {}

    /** DEALLOCATE name, or all when empty. */
    record Deallocate(Optional<String> name) implements StatementAction {}

    /** DECLARE of a cursor. */
    record DeclareCursor(String name) implements StatementAction {}

    /** FETCH, MOVE or CLOSE of a cursor, or CLOSE ALL when empty. */
    record OnCursor(Optional<String> name) implements StatementAction {}

    /** DISCARD {ALL | PLANS | SEQUENCES | TEMP}. */
    record Discard(Target target) implements StatementAction {
        /** DISCARD ALL. */
        public static final Discard ALL = new Discard(Target.ALL);

        /** What is discarded. */
        public enum Target {
            ALL,
            PLANS,
            SEQUENCES,
            TEMP
        }
    }

    // --- schemas ----------------------------------------------------------------------------------------------------

    /**
     * CREATE SCHEMA.
     *
     * @param name the schema's name; for {@code CREATE SCHEMA AUTHORIZATION role} the role's, {@link #NAME_OF_ROLE}
     *     where that is not in the text
     * @param ifNotExists whether IF NOT EXISTS is there
     * @param authorization the text of the role specification (as written, quotes included), when there is one
     * @param headerEnd where the part before schema elements ends, bytes from the start of the scanned range; equal to
     *     the statement's end when there are no elements
     */
    record CreateSchema(String name, boolean ifNotExists, Optional<String> authorization, int headerEnd)
            implements StatementAction {
        /** Stands for the name of the current role, or of the session's. */
        public static final String NAME_OF_ROLE = "";
    }

    /** DROP SCHEMA names. */
    record DropSchema(List<String> names, boolean ifExists, boolean cascade) implements StatementAction {}

    /** ALTER SCHEMA name RENAME TO newName. */
    record RenameSchema(String name, String newName) implements StatementAction {}

    /** ALTER SCHEMA name OWNER TO role. */
    record AlterSchemaOwner(String name) implements StatementAction {}

    /**
     * GRANT, REVOKE, COMMENT or SECURITY LABEL on these schemas and nothing else.
     *
     * @param namesStart where the list of names starts, bytes from the start of the scanned range
     * @param namesEnd where it ends, exclusive
     */
    record OnSchemas(List<String> names, int namesStart, int namesEnd) implements StatementAction {}

    // --- the proxy itself -------------------------------------------------------------------------------------------

    /** SHOW tenantry.sessions and its like: what the proxy is doing. */
    record ShowActivity(Subject subject) implements StatementAction {
        /** Of what. */
        public enum Subject {
            SESSIONS,
            BACKENDS,
            POOLS,
            PINS,
            TRANSACTIONS
        }
    }

    /** EXPLAIN (TENANTRY) of a statement of this kind and action: where it would go. */
    record ExplainRoute(StatementKind kind, StatementAction action) implements StatementAction {}

    // --- the same on every node -------------------------------------------------------------------------------------

    /**
     * A statement that runs on every node.
     *
     * @param password the clear-text password in a role statement, when there is one
     * @param extension what CREATE EXTENSION creates or ALTER EXTENSION moves, when it is one of these
     * @param seen whether event triggers see it: those of extensions, and DROP OWNED ("Event Trigger Firing Matrix")
     */
    record EveryNode(Optional<PasswordLiteral> password, Optional<PlacedExtension> extension, boolean seen)
            implements StatementAction {}

    /**
     * DO of a block that says something which all nodes would have to do.
     *
     * @param words how that begins, for example {@code CREATE ROLE}
     */
    record SharedInBlock(String words) implements StatementAction {}

    /**
     * An extension that is to be in a schema.
     *
     * @param name its name
     * @param isNew whether it is to be created, unless it is there already
     * @param schema the schema that the statement names, when it does
     */
    record PlacedExtension(String name, boolean isNew, Optional<String> schema) {}

    /**
     * A password literal.
     *
     * @param start where the literal starts (its quote or prefix), bytes from the start of the scanned range
     * @param end where it ends, exclusive
     * @param text its value
     */
    record PasswordLiteral(int start, int end, String text) {}
}
