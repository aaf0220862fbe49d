/** Rebalances as the catalog keeps them: what plans go by, jobs and their tasks. */
@NullMarked
package dev.tenantry.store.rebalance;

import org.jspecify.annotations.NullMarked;
