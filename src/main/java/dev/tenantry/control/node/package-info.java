/** Blocking administration of one node: run SQL, check what it can do, install what we need on it. */
@NullMarked
package dev.tenantry.control.node;

import org.jspecify.annotations.NullMarked;
