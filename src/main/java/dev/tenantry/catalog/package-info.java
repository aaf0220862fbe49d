/** What lives where, as immutable values with a version: nodes, schemas, placements, roles. */
@NullMarked
package dev.tenantry.catalog;

import org.jspecify.annotations.NullMarked;
