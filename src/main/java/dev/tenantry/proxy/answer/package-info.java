/** Rows that the proxy itself answers with: what they are made of and how they are written. */
@NullMarked
package dev.tenantry.proxy.answer;

import org.jspecify.annotations.NullMarked;
