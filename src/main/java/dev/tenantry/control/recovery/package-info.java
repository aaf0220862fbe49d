/** Finishes prepared transactions whose proxy has died. */
@NullMarked
package dev.tenantry.control.recovery;

import org.jspecify.annotations.NullMarked;
