/** What a move does on its two nodes: publish and subscribe, create, compare, lock and rename. */
@NullMarked
package dev.tenantry.control.node.copy;

import org.jspecify.annotations.NullMarked;
