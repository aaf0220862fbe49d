package dev.tenantry.blueprint;

/**
 * One step of creating a schema.
 *
 * @param phase when it is run
 * @param object what it makes or changes, as people name it: {@code index "acme"."notes_pkey"}
 * @param sql one or several statements without parameters; several are run as one simple query, and so as one
 *     transaction
 */
public record BlueprintStatement(Phase phase, String object, String sql) {}
