/** Hands cancel requests to the proxies that gave their keys out. */
@NullMarked
package dev.tenantry.control.cancel;

import org.jspecify.annotations.NullMarked;
