/** Commands that ask a running cluster to do something, and tell how it goes. */
@NullMarked
package dev.tenantry.command;

import org.jspecify.annotations.NullMarked;
