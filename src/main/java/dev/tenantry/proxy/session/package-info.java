/** The state of one client's session: what it has set, prepared, begun and is still owed. */
@NullMarked
package dev.tenantry.proxy.session;

import org.jspecify.annotations.NullMarked;
