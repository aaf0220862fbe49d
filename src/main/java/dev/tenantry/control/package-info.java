/** The control plane as one thing to start and stop. */
@NullMarked
package dev.tenantry.control;

import org.jspecify.annotations.NullMarked;
