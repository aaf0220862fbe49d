package dev.tenantry.store.rebalance;

import dev.tenantry.store.CatalogStore;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.rebalance.RebalanceJob.Progress;
import dev.tenantry.store.rebalance.RebalanceJob.Task;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Rebalances in the catalog, over one connection to the coordinator. For virtual threads, one at a time. */
public final class RebalanceStore {

    private static final String JOB = "job_id, state::text, description, started_at, finished_at, message";

    /** How often a move that has failed is tried again, with pauses of up to a minute. */
    private static final int RETRIES_MAX = 5;

    private final ServerConnection connection;

    /** Uses a connection that the caller opened and will close. */
    public RebalanceStore(ServerConnection connection) {
        this.connection = connection;
    }

    /** What the one that runs rebalances has to do next. */
    public enum Step {
        /** Nothing is open. */
        REST,
        /** Look again soon. */
        LOOK,
        /** Nodes have changed: plan the rest anew. */
        PLAN
    }

    /**
     * Somebody waits for a plan.
     *
     * @param id to answer by
     * @param input what the plan is to go by
     */
    public record Question(long id, JsonObject input) {}

    /**
     * The open rebalance, to be planned anew.
     *
     * @param jobId its number
     * @param nodes what the nodes were when the input was read
     * @param input what the plan is to go by
     */
    public record Replanning(long jobId, String nodes, JsonObject input) {}

    /** Has the coordinator tell of questions and jobs; see {@link ServerConnection#onNotification}. */
    public void listen() {
        connection.query("LISTEN tenantry_rebalance");
    }

    /** Whether this connection is, from now on until it ends, the one that runs rebalances. */
    public boolean lead() {
        return new CatalogStore(connection).leadRebalances();
    }

    /** Does what can be done of the open rebalance now, in one transaction. */
    public Step step(int movesPerNode) {
        String step = connection
                .query("SELECT tenantry.step_rebalance($1)", movesPerNode)
                .iterator()
                .next()
                .getString(0);
        return Step.valueOf(step.toUpperCase(Locale.ROOT));
    }

    /** What nobody has answered yet; forgets what nobody waits for any more. */
    public List<Question> questions() {
        connection.query(
                "DELETE FROM tenantry.rebalance_question WHERE asked_at < clock_timestamp() - interval '5 min'");
        List<Question> found = new ArrayList<>();
        connection
                .query("SELECT questionid, input FROM tenantry.rebalance_question WHERE answer IS NULL ORDER BY 1")
                .forEach(row -> found.add(new Question(row.getLong(0), row.getJsonObject(1))));
        return found;
    }

    /** Answers a question. */
    public void answer(long questionId, JsonObject plan) {
        connection.query("UPDATE tenantry.rebalance_question SET answer = $2 WHERE questionid = $1", questionId, plan);
    }

    /**
     * What was asked for, with the strategy's defaults filled in.
     *
     * @param asked {@code strategy}, {@code threshold}, {@code improvement}, {@code drain} and {@code mode}, each only
     *     if it was given
     */
    public JsonObject options(JsonObject asked) {
        return connection.query("""
                        SELECT tenantry.rebalance_options(
                            (a.o ->> 'strategy')::name, (a.o ->> 'threshold')::real, NULL, '{}',
                            (a.o ->> 'drain')::boolean, (a.o ->> 'improvement')::real, NULL, a.o ->> 'mode')
                        FROM (SELECT $1::jsonb AS o) a
                        """, asked).iterator().next().getJsonObject(0);
    }

    /** Refuses (55006) while a rebalance runs. */
    public void requireNone() {
        connection.query("SELECT tenantry.require_no_rebalance()");
    }

    /** What the nodes are now, to be given to {@link #schedule} with what is planned from then on. */
    public String nodes() {
        return connection.query("SELECT tenantry.nodes_now()").iterator().next().getString(0);
    }

    /** Writes a rebalance with its tasks, which begins at once; returns its number. */
    public long schedule(JsonObject options, JsonObject plan, String nodes) {
        return connection
                .query(
                        "SELECT tenantry.insert_rebalance($1, $2, $3, current_user, $4)",
                        options,
                        plan,
                        nodes,
                        RETRIES_MAX)
                .iterator()
                .next()
                .getLong(0);
    }

    /** Has a rebalance end: what runs and has not switched is undone. Returns whether it had not ended. */
    public boolean cancel(long jobId) {
        return connection.query("""
                        SELECT tenantry.citus_job_cancel(j.job_id) FROM tenantry.background_job j
                        WHERE j.job_id = $1 AND j.finished_at IS NULL
                        """, jobId).size() > 0;
    }

    /** When the last rebalance ended, whoever asked for it. */
    public Optional<Instant> lastEnded() {
        OffsetDateTime ended = connection
                .query("SELECT max(finished_at) FROM tenantry.background_job")
                .iterator()
                .next()
                .getOffsetDateTime(0);
        return Optional.ofNullable(ended).map(OffsetDateTime::toInstant);
    }

    /** Has the open rebalance of that description begin no more moves; those that run go on to their end. */
    public void beginNoMore(String description, String why) {
        connection.query("""
                UPDATE tenantry.background_task t SET status = 'cancelled', message = $2
                FROM tenantry.background_job j
                WHERE j.job_id = t.job_id AND j.finished_at IS NULL AND j.description = $1
                  AND t.status IN ('blocked', 'runnable')
                """, description, why);
    }

    /** The rebalances there were, the latest first, without their tasks. */
    public List<RebalanceJob> jobs(int limit) {
        List<RebalanceJob> found = new ArrayList<>();
        connection
                .query("SELECT " + JOB + " FROM tenantry.background_job ORDER BY job_id DESC LIMIT $1", limit)
                .forEach(row -> found.add(job(row, List.of())));
        return found;
    }

    /** A rebalance with its tasks. */
    public Optional<RebalanceJob> job(long jobId) {
        List<Task> tasks = new ArrayList<>();
        connection.query("""
                        SELECT t.task_id, t.status::text, coalesce(n.nspname, m.schema_name, '')::text,
                               coalesce(s.name, ''), coalesce(g.name, ''), t.message, t.retry_count,
                               m.moveid, m.phase, coalesce(m.bytes_copied, 0), coalesce(m.bytes_total, 0), m.lag_bytes
                        FROM tenantry.background_task t
                        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.schemaid
                        LEFT JOIN tenantry.move m USING (moveid)
                        LEFT JOIN tenantry.node s ON s.nodeid = t.source_nodeid
                        LEFT JOIN tenantry.node g ON g.nodeid = t.target_nodeid
                        WHERE t.job_id = $1 ORDER BY t.task_id
                        """, jobId).forEach(row -> tasks.add(task(row)));
        RowSet<Row> rows = connection.query("SELECT " + JOB + " FROM tenantry.background_job WHERE job_id = $1", jobId);
        return rows.size() == 0
                ? Optional.empty()
                : Optional.of(job(rows.iterator().next(), tasks));
    }

    private static RebalanceJob job(Row row, List<Task> tasks) {
        return new RebalanceJob(
                row.getLong(0),
                row.getString(1),
                row.getString(2),
                row.getOffsetDateTime(3),
                row.getOffsetDateTime(4),
                row.getString(5),
                tasks);
    }

    private static Task task(Row row) {
        Progress move = row.getLong(7) == null
                ? null
                : new Progress(row.getLong(7), row.getString(8), row.getLong(9), row.getLong(10), row.getLong(11));
        return new Task(
                row.getLong(0),
                row.getString(1),
                row.getString(2),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                row.getInteger(6),
                move);
    }

    /** What a plan would go by, for those options. */
    public JsonObject input(JsonObject options) {
        return connection
                .query("SELECT tenantry.rebalance_input($1)", options)
                .iterator()
                .next()
                .getJsonObject(0);
    }

    /** What the rest of the open rebalance is to be planned from. */
    public List<Replanning> replanning() {
        List<Replanning> found = new ArrayList<>();
        for (Row row : connection.query(
                "SELECT r.* FROM tenantry.replanning() r WHERE r.rebalance_id IS NOT NULL AND r.input IS NOT NULL")) {
            found.add(new Replanning(row.getLong(0), row.getString(1), row.getJsonObject(2)));
        }
        return found;
    }

    /** Puts a new plan in the place of what has not begun. */
    public void replan(Replanning old, JsonObject plan) {
        connection.query("SELECT tenantry.replan_rebalance($1, $2, $3)", old.jobId(), old.nodes(), plan);
    }

    /** Ends the open rebalance, which can't be planned anew, when its moves have ended. */
    public void fail(String why) {
        connection.query("""
                SELECT tenantry.fail_rebalance(j.job_id, $1) FROM tenantry.background_job j WHERE j.finished_at IS NULL
                """, why);
    }
}
