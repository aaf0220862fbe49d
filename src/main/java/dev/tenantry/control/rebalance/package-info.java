/** Plans which schemas should move, and has the moves done. */
@NullMarked
package dev.tenantry.control.rebalance;

import org.jspecify.annotations.NullMarked;
