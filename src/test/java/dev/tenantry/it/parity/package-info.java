/** One corpus of SQL, said to a plain server and to the proxy in every way the protocol has, and what was answered. */
@NullMarked
package dev.tenantry.it.parity;

import org.jspecify.annotations.NullMarked;
