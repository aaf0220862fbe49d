/** Connections to nodes that no session holds: kept for the next session that may use them. */
@NullMarked
package dev.tenantry.proxy.pool;

import org.jspecify.annotations.NullMarked;
