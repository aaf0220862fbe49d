/** The definition of one schema: read from its node's catalogs in one snapshot, and created on another node. */
@NullMarked
package dev.tenantry.blueprint;

import org.jspecify.annotations.NullMarked;
