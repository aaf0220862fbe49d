package dev.tenantry.store.rebalance;

import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rebalance as it stands.
 *
 * @param id its number
 * @param state Citus's word: {@code scheduled running finished cancelling cancelled failing failed}
 * @param description what it is for
 * @param startedAt when it began, once it has
 * @param finishedAt when it ended, once it has
 * @param message why it failed as a whole, or ""
 * @param tasks its moves, in the order of the plan; those of an earlier plan are cancelled
 */
public record RebalanceJob(
        long id,
        String state,
        String description,
        @Nullable OffsetDateTime startedAt,
        @Nullable OffsetDateTime finishedAt,
        String message,
        List<Task> tasks) {

    /** Copies the list. */
    public RebalanceJob {
        tasks = List.copyOf(tasks);
    }

    /** Whether nothing will change any more. */
    public boolean isEnded() {
        return finishedAt != null;
    }

    /**
     * One move of a rebalance.
     *
     * @param id its number
     * @param status Citus's word: {@code blocked runnable running done cancelling error unscheduled cancelled}
     * @param schema the schema's name, or "" when it has been dropped
     * @param source name of the node that it leaves
     * @param target name of the node that it goes to
     * @param message why it failed, waits or was cancelled, or ""
     * @param retries how often it was tried again
     * @param move how far its move is, once it has begun
     */
    public record Task(
            long id,
            String status,
            String schema,
            String source,
            String target,
            String message,
            int retries,
            @Nullable Progress move) {}

    /**
     * How far a move is.
     *
     * @param id its number in {@code tenantry_moves}
     * @param phase as {@code tenantry_moves} shows it
     * @param bytesCopied how much is there
     * @param bytesTotal of how much; 0 when that is not known yet
     * @param lagBytes how far the target is behind, if it follows
     */
    public record Progress(
            long id,
            String phase,
            long bytesCopied,
            long bytesTotal,
            @Nullable Long lagBytes) {}
}
