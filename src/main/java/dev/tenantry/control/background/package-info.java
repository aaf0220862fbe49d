/** Runs what goes on in the background of the control plane, from its start to its close. */
@NullMarked
package dev.tenantry.control.background;

import org.jspecify.annotations.NullMarked;
