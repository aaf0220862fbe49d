/** Starts the roles this process was given and wires the planes together; the only code that sees both. */
@NullMarked
package dev.tenantry;

import org.jspecify.annotations.NullMarked;
