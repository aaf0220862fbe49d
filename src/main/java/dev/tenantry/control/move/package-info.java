/** Moves a schema from one node to another while it is in use. */
@NullMarked
package dev.tenantry.control.move;

import org.jspecify.annotations.NullMarked;
