/** Finds out on which nodes statements can leave something in a server process that they don't tell of. */
@NullMarked
package dev.tenantry.control.traces;

import org.jspecify.annotations.NullMarked;
