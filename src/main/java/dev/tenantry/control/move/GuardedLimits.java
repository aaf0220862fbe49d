package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.SqlStates;
import java.util.List;

/**
 * What of tables that call functions can't be moved without a superuser's calling them. Such a move is refused before
 * anything is made, and names the objects.
 */
final class GuardedLimits {

    /** From this version on, changes are applied with the rights of the tables' owners. */
    private static final int APPLIES_AS_OWNER = 16;

    /** From this version on, a foreign key of a partitioned table can be made without a look at the rows. */
    private static final int UNCHECKED_PARTED_KEYS = 18;

    private static final String BLOCK_WRITES = "Set the shard_transfer_mode to 'block_writes'";
    private static final String OWNER = "a superuser can own the tables, and answer for what they call.";

    private final CopyPlan plan;
    private final int targetMajor;

    /**
     * Of one definition.
     *
     * @param targetMajor the target's major version
     */
    GuardedLimits(CopyPlan plan, int targetMajor) {
        this.plan = plan;
        this.targetMajor = targetMajor;
    }

    /** Whatever the mode. */
    void check() {
        refuse("parted index", "indexes of partitioned tables with expressions", "Drop them for the move; or " + OWNER);
        refuse(
                "parted call",
                "partition keys that are expressions, of tables with indexes, triggers or foreign keys",
                "Make these for each partition; or " + OWNER);
        if (targetMajor < UNCHECKED_PARTED_KEYS) {
            refuse("parted key", "foreign keys of partitioned tables", "Drop them for the move; or " + OWNER);
        }
        refuse("elsewhere", "functions of other schemas", "Let a superuser own them, or move them into the schema.");
        refuse("constant", "constants of types that are checked", "Write them as expressions, like ARRAY[...]::type.");
    }

    /** Where changes are followed. */
    void checkFollowed() {
        if (targetMajor < APPLIES_AS_OWNER) {
            refuse("followed", "tables on PostgreSQL " + targetMajor, BLOCK_WRITES + "; or " + OWNER);
        }
        refuse("unlogged", "unlogged tables", BLOCK_WRITES + "; or " + OWNER);
        refuse("keyless", "tables without a key and with indexes of expressions", BLOCK_WRITES + ", or add a key.");
    }

    private void refuse(String reason, String what, String hint) {
        List<String> objects = plan.guarded().obstacles().getOrDefault(reason, List.of());
        if (!objects.isEmpty()) {
            throw new MoveFailedException(
                    SqlStates.FEATURE_NOT_SUPPORTED,
                    "schema %s cannot be moved: functions would be called with a superuser's rights for %s"
                            .formatted(plan.schema(), what),
                    "These are %s.".formatted(String.join(", ", objects)),
                    hint);
        }
    }
}
