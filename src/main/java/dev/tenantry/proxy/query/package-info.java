/** The client's queries, simple and extended: what each message means and which backend it goes to. */
@NullMarked
package dev.tenantry.proxy.query;

import org.jspecify.annotations.NullMarked;
