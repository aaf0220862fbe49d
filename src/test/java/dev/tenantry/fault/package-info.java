/** What happens when something dies in the middle. */
@NullMarked
package dev.tenantry.fault;

import org.jspecify.annotations.NullMarked;
