/** Decides, from a statement, a session's settings and a catalog snapshot, where the statement goes. */
@NullMarked
package dev.tenantry.routing;

import org.jspecify.annotations.NullMarked;
