/** The rules of commit across nodes: transaction identifiers, and what recovery must do with each. */
@NullMarked
package dev.tenantry.commit;

import org.jspecify.annotations.NullMarked;
