/** Starts, finds again and stops real PostgreSQL servers of our own, for the cluster that needs nothing else. */
@NullMarked
package dev.tenantry.embedded;

import org.jspecify.annotations.NullMarked;
