/** One client's conversation from startup to goodbye. */
@NullMarked
package dev.tenantry.proxy.session;

import org.jspecify.annotations.NullMarked;
