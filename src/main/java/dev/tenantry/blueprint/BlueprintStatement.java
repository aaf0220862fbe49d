package dev.tenantry.blueprint;

import java.util.Optional;

/**
 * One step of creating a schema.
 *
 * @param phase when it is run
 * @param step what is of one step can be run over several connections at a time, each object's statements in their
 *     order over one of them; what is of another, only when all that comes before it has been run
 * @param object what it makes or changes, as people name it: {@code index "acme"."notes_pkey"}
 * @param sql one or several statements without parameters; several are run as one simple query, and so as one
 *     transaction
 * @param idle what can be run in its place first, and it later: for a function, the same function that does nothing
 */
public record BlueprintStatement(Phase phase, int step, String object, String sql, Optional<String> idle) {

    /** The one that can be run in its place, or itself if there is none. */
    public BlueprintStatement inert() {
        return idle.map(this::with).orElse(this);
    }

    /** The same object's with other SQL. */
    public BlueprintStatement with(String other) {
        return new BlueprintStatement(phase, step, object, other, Optional.empty());
    }

    /** The same at another step. */
    public BlueprintStatement atStep(int other) {
        return new BlueprintStatement(phase, other, object, sql, idle);
    }
}
