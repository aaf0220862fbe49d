package dev.tenantry.catalog;

/** What is paused: new transactions of it wait. A row of {@code tenantry.pause}. */
public sealed interface Pause {

    /** Its number, never used again. */
    long id();

    /**
     * A schema is paused.
     *
     * @param name its name, which may change while it is paused; then another pause of the same number takes its place
     * @param held what waits
     */
    record OfSchema(long id, String name, Held held) implements Pause {

        /** All of it is paused. */
        public OfSchema(long id, String name) {
            this(id, name, Held.ALL);
        }
    }

    /** What of a schema waits. */
    enum Held {
        /** Every statement. */
        ALL,
        /** What may write: all but single statements that read, and blocks that are READ ONLY. */
        WRITERS
    }

    /** Everything on a node is paused. */
    record OfNode(long id, int nodeId) implements Pause {}
}
