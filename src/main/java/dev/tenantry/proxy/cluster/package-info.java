/** Statements that a session carries out itself on several nodes: DDL of schemas, DDL of all nodes, their commit. */
@NullMarked
package dev.tenantry.proxy.cluster;

import org.jspecify.annotations.NullMarked;
