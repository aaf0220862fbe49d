package dev.tenantry.proxy.pool;

import dev.tenantry.catalog.LoginRole;
import java.util.Map;

/**
 * What two sessions must have in common for one to use a connection that the other has left: what a new connection of
 * theirs to a node would begin with.
 *
 * @param startupParameters what a node is sent, the role's name among it
 * @param role the role as it was when the session began: ALTER ROLE SET and a new password count for new sessions
 */
public record PoolKey(Map<String, String> startupParameters, LoginRole role) {}
