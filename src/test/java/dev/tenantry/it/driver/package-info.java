/** What the usual drivers and programs do with two tenants, through the proxy. */
@NullMarked
package dev.tenantry.it.driver;

import org.jspecify.annotations.NullMarked;
