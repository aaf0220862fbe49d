package dev.tenantry.blueprint;

import dev.tenantry.store.ServerConnection;

/** Creates a schema on a node. */
public final class BlueprintWriter {

    private BlueprintWriter() {}

    /**
     * Runs one phase in one transaction: all of it is there afterwards, or nothing. Its indexes keep others from
     * writing until all are made, so AFTER_DATA of a large schema is better run statement by statement, in a session
     * with {@link SchemaBlueprint#settings()}.
     *
     * @param connection a superuser's, not in a transaction; its settings are as before afterwards
     * @throws dev.tenantry.store.StatementRefusedException if the server can't run a statement
     */
    public static void create(ServerConnection connection, SchemaBlueprint blueprint, Phase phase) {
        connection.query("BEGIN");
        try {
            SchemaBlueprint.settings().forEach(setting -> connection.query(setting.replaceFirst("SET ", "SET LOCAL ")));
            blueprint.statements(phase).forEach(statement -> connection.query(statement.sql()));
        } catch (RuntimeException failed) {
            rollBack(connection, failed);
            throw failed;
        }
        connection.query("COMMIT");
    }

    private static void rollBack(ServerConnection connection, RuntimeException failed) {
        try {
            connection.query("ROLLBACK");
        } catch (RuntimeException second) {
            failed.addSuppressed(second);
        }
    }
}
