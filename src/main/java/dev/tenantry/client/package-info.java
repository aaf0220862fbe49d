/** A client of a cluster, for commands: where the cluster is, what is asked there and answered. */
@NullMarked
package dev.tenantry.client;

import org.jspecify.annotations.NullMarked;
