/** Accepts clients, signs them in, and runs each one's conversation from startup to goodbye. */
@NullMarked
package dev.tenantry.proxy.server;

import org.jspecify.annotations.NullMarked;
