/** Keeps the catalog in PostgreSQL, and tells when it changes. */
@NullMarked
package dev.tenantry.store;

import org.jspecify.annotations.NullMarked;
