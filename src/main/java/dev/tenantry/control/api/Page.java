package dev.tenantry.control.api;

import java.util.List;

/**
 * Some of the rows.
 *
 * @param total how many rows there are
 * @param limit how many of them were asked for at most
 * @param offset how many of them were left out before
 * @param items the rows, in the view's order
 */
public record Page<T>(long total, int limit, int offset, List<T> items) {}
