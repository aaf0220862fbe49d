package dev.tenantry.catalog;

/** What is paused: new transactions of it wait. A row of {@code tenantry.pause}. */
public sealed interface Pause {

    /** Its number, never used again. */
    long id();

    /**
     * A schema is paused.
     *
     * @param name its name, which may change while it is paused; then another pause of the same number takes its place
     */
    record OfSchema(long id, String name) implements Pause {}

    /** Everything on a node is paused. */
    record OfNode(long id, int nodeId) implements Pause {}
}
