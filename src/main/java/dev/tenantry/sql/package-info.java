/** What a statement's text says, without running it: its kind, the schemas it names, the settings it changes. */
@NullMarked
package dev.tenantry.sql;

import org.jspecify.annotations.NullMarked;
