/** Which schemas should be on which node: decided from values alone, so that a plan can be shown and thrown away. */
@NullMarked
package dev.tenantry.control.rebalance.plan;

import org.jspecify.annotations.NullMarked;
