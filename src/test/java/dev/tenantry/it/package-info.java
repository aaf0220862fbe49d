/** Tests against real PostgreSQL servers, one behaviour per class. */
@NullMarked
package dev.tenantry.it;

import org.jspecify.annotations.NullMarked;
