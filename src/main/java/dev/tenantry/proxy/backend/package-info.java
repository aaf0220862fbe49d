/** Connections to nodes: open, keep, cancel, limit. */
@NullMarked
package dev.tenantry.proxy.backend;

import org.jspecify.annotations.NullMarked;
