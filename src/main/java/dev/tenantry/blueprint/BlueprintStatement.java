package dev.tenantry.blueprint;

/**
 * One step of creating a schema.
 *
 * @param phase when it is run
 * @param step what is of one step can be run over several connections at a time, each object's statements in their
 *     order over one of them; what is of another, only when all that comes before it has been run
 * @param object what it makes or changes, as people name it: {@code index "acme"."notes_pkey"}
 * @param sql one or several statements without parameters; several are run as one simple query, and so as one
 *     transaction
 */
public record BlueprintStatement(Phase phase, int step, String object, String sql) {}
