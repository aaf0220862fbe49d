package dev.tenantry.commit;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a transaction over several nodes, as PREPARE TRANSACTION takes it:
 * {@code tenantry_<cluster>_<proxy>_<sequence>_<decider's node id>_<decider's transaction>}, shorter than 200 bytes
 * (the limit of the manual, "PREPARE TRANSACTION"). Naming the decider's own transaction is what makes the decision
 * safe: that transaction alone can write the record of it.
 *
 * @param clusterId which cluster, lower-case letters and digits
 * @param proxyId which proxy, unique among all that ever were, lower-case letters and digits
 * @param sequence which transaction of that proxy
 * @param deciderNodeId the node that holds the decision
 * @param deciderTransaction the transaction there whose commit is the decision, as {@code pg_current_xact_id()} says it
 */
public record GlobalTransactionId(
        String clusterId, String proxyId, long sequence, int deciderNodeId, long deciderTransaction) {

    /** PostgreSQL takes shorter names only. */
    public static final int BYTES_MAX = 199;

    private static final Pattern PART = Pattern.compile("[0-9a-z]+");
    /** What everything but cluster and proxy may need. */
    private static final int REST_BYTES_MAX = 60;

    private static final Pattern TEXT_FORM = Pattern.compile(
            "tenantry_([0-9a-z]+)_([0-9a-z]+)_(0|[1-9][0-9]{0,17})" + "_(0|[1-9][0-9]{0,8})_(0|[1-9][0-9]{0,17})");

    /** Refuses what its text form could not be read back from. */
    public GlobalTransactionId {
        if (!PART.matcher(clusterId).matches() || !PART.matcher(proxyId).matches()) {
            throw new IllegalArgumentException("cluster and proxy are lower-case letters and digits");
        }
        if (sequence < 0 || deciderNodeId < 0 || deciderTransaction < 0) {
            throw new IllegalArgumentException("numbers are not negative");
        }
        if (clusterId.length() + proxyId.length() > BYTES_MAX - REST_BYTES_MAX) {
            throw new IllegalArgumentException("cluster and proxy are too long");
        }
    }

    /** Reads the text form; empty for the prepared transactions of others. */
    public static Optional<GlobalTransactionId> parse(String gid) {
        Matcher matcher = TEXT_FORM.matcher(gid);
        if (gid.length() > BYTES_MAX
                || !matcher.matches()
                || matcher.group(1).length() + matcher.group(2).length() > BYTES_MAX - REST_BYTES_MAX) {
            return Optional.empty();
        }
        return Optional.of(new GlobalTransactionId(
                matcher.group(1),
                matcher.group(2),
                Long.parseLong(matcher.group(3)),
                Integer.parseInt(matcher.group(4)),
                Long.parseLong(matcher.group(5))));
    }

    /** The text form. */
    @Override
    public String toString() {
        return "tenantry_" + clusterId + "_" + proxyId + "_" + sequence + "_" + deciderNodeId + "_"
                + deciderTransaction;
    }
}
