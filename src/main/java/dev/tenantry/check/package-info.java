/** Proves a running cluster right from outside, as its clients see it. */
@NullMarked
package dev.tenantry.check;

import org.jspecify.annotations.NullMarked;
