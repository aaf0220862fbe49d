/** Finds transactions that wait for each other on several nodes, which no node can see, and fails one of them. */
@NullMarked
package dev.tenantry.control.deadlock;

import org.jspecify.annotations.NullMarked;
