/** Gets a node's backend ready for a session's next statement, and keeps the session's model true. */
@NullMarked
package dev.tenantry.proxy.dispatch;

import org.jspecify.annotations.NullMarked;
