/** Moves in the catalog: as their runner writes them, and as others ask for them and read them. */
@NullMarked
package dev.tenantry.store.move;

import org.jspecify.annotations.NullMarked;
