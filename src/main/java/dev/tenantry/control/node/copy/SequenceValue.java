package dev.tenantry.control.node.copy;

/**
 * Where a sequence is.
 *
 * @param last its last value
 * @param called whether that was given out
 */
public record SequenceValue(long last, boolean called) {}
