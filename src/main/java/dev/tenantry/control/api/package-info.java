/** The REST API: resources, request and response records, problems. */
@NullMarked
package dev.tenantry.control.api;

import org.jspecify.annotations.NullMarked;
