package dev.tenantry.blueprint;

/** When, in the course of a move, a statement of a blueprint is run on the target. */
public enum Phase {
    /** What rows can be copied into: types, functions, tables. */
    BEFORE_DATA,
    /**
     * What is made faster, or can only be made, once there are rows, all tables at one state: keys, other indexes,
     * foreign keys, views, triggers (which changes that are applied do not fire). Changes can be applied after it.
     */
    AFTER_DATA,
    /**
     * What must not be in force while changes are applied, and takes no time: triggers that fire for those too, and
     * forced row-level security; then the contents of materialized views, which take time and may be made a little
     * earlier. Run when nothing is applied any more, before the first client; usually empty.
     */
    AT_SWITCH
}
