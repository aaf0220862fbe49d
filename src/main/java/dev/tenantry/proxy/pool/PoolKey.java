package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.LoginRole;
import java.util.Locale;
import java.util.Map;

/**
 * What two sessions must have in common for one to use a connection that the other has left: what a new connection of
 * theirs to a node would begin with.
 *
 * @param startupParameters what a node is sent, the role's name among it
 * @param role the role as it was when the session began: ALTER ROLE SET and a new password count for new sessions
 */
public record PoolKey(Map<String, String> startupParameters, LoginRole role) {
    /** After which time a server ends a connection that has nothing to do, though its session may have. */
    public static final String IDLE_SESSION_TIMEOUT = "idle_session_timeout";

    private static final String OPTIONS = "options";
    private static final String NONE = "-c " + IDLE_SESSION_TIMEOUT + "=0";

    /** Options by which a connection has no such time whatever the role has. */
    public static String withoutIdleTimeout(String options) {
        return options + " " + NONE;
    }

    /** Whether a server may end a connection that is kept for others. */
    boolean endsWhenIdle() {
        String options = startupParameters.getOrDefault(OPTIONS, "").toLowerCase(Locale.ROOT);
        return !options.endsWith(NONE)
                && (role.settings().containsKey(IDLE_SESSION_TIMEOUT)
                        || options.contains(IDLE_SESSION_TIMEOUT)
                        || startupParameters.keySet().stream().anyMatch(IDLE_SESSION_TIMEOUT::equalsIgnoreCase));
    }
}
