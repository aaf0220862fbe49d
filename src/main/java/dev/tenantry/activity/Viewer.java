package dev.tenantry.activity;

import java.util.Optional;

/**
 * Who looks: whoever may see everything, or a role that sees its own sessions and what belongs to them, as in
 * {@code pg_stat_activity}.
 *
 * @param role whose sessions are shown; empty for all
 */
public record Viewer(Optional<String> role) {

    /** A superuser, or a member of {@code pg_monitor}. */
    public static final Viewer OF_ALL = new Viewer(Optional.empty());

    /** Anybody else. */
    public static Viewer ofOwn(String role) {
        return new Viewer(Optional.of(role));
    }

    /** Whether it may see what belongs to a role. */
    public boolean sees(String owner) {
        return role.isEmpty() || role.get().equals(owner);
    }
}
