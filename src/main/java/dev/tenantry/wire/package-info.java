/** The PostgreSQL 3.x protocol as values: frames, messages, SQLSTATEs, how bytes become them and back. */
@NullMarked
package dev.tenantry.wire;

import org.jspecify.annotations.NullMarked;
