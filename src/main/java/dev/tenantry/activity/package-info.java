/** What a proxy is doing now, as values: what SHOW answers and the REST API shows. */
@NullMarked
package dev.tenantry.activity;

import org.jspecify.annotations.NullMarked;
