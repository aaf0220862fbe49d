/** SCRAM-SHA-256 verifiers as {@code pg_authid} keeps them: read, checked, made. */
@NullMarked
package dev.tenantry.scram;

import org.jspecify.annotations.NullMarked;
