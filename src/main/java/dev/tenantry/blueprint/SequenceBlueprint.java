package dev.tenantry.blueprint;

/**
 * A sequence whose value a move has to copy, those of serial and identity columns included.
 *
 * @param name without its schema
 */
public record SequenceBlueprint(String name) {}
