/** What tests stand on: real servers, a whole cluster, and patience that looks instead of sleeping. */
@NullMarked
package dev.tenantry.support;

import org.jspecify.annotations.NullMarked;
