package dev.tenantry.control.move;

/** Where a test may stop the world: each lies behind what it is called after, and before the next. */
public enum MovePoint {
    CLAIMED,
    CREATION_NOTED,
    DEFINITION_CREATED,
    IDENTITIES_WIDENED,
    PUBLISHED,
    SLOT_CREATED,
    SUBSCRIBED,
    COPIED,
    BUILT,
    COMPARING,
    VERIFIED,
    PAUSED,
    LOCKED,
    LEVEL,
    PREPARED,
    SWITCHED,
    PREPARED_COMMITTED,
    UNSUBSCRIBED,
    ENDED;

    /** Told when each point is reached, on the thread of the move; does nothing outside tests. */
    public interface Observer {

        /** Nobody looks. */
        Observer NONE = point -> {};

        /** The move is there. */
        void reached(MovePoint point) throws InterruptedException;
    }
}
