/** The rules of this code base as tests: its architecture, its habits, its generated files. */
@NullMarked
package dev.tenantry.arch;

import org.jspecify.annotations.NullMarked;
