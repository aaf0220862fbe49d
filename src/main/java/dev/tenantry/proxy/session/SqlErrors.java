package dev.tenantry.proxy.session;

import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.routing.Refusal;
import dev.tenantry.wire.ErrorFields;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.stream.Collectors;

/** Turns what went wrong elsewhere into what the client is told. */
public final class SqlErrors {
    private static final String ABORTED =
            "current transaction is aborted, commands ignored until end of transaction block";

    private SqlErrors() {}

    /** What ends a deadlock that no node can see. */
    public static SqlError deadlock() {
        return SqlError.error("40P01", "deadlock detected")
                .withDetail("Transactions over several nodes wait for each other's locks.")
                .withHint("Run the transaction again.");
    }

    /** Two nodes of a block can't have cursors of one name, since on one server they could not. */
    public static SqlError cursorExists(String name) {
        return SqlError.error("42P03", "cursor \"" + name + "\" already exists");
    }

    /** The statement is refused by the router. */
    public static SqlError of(Refusal refusal) {
        return new SqlError(
                SqlError.Severity.ERROR, refusal.sqlState(), refusal.message(), refusal.detail(), refusal.hint());
    }

    /** A call of the proxy's own has failed. */
    public static SqlError of(CallResult result) {
        byte[] error = result.error();
        return error == null ? SqlError.error("XX000", "a call failed without an error") : of(error);
    }

    /** A whole ErrorResponse message of a node. */
    public static SqlError of(byte[] message) {
        return of(Unpooled.wrappedBuffer(message), 0, message.length);
    }

    /** A whole ErrorResponse message of a node, as an error that ends only the statement. */
    public static SqlError of(ByteBuf in, int index, int frameLength) {
        String detail = ErrorFields.field(in, index, frameLength, 'D');
        String hint = ErrorFields.field(in, index, frameLength, 'H');
        return new SqlError(
                SqlError.Severity.ERROR,
                ErrorFields.field(in, index, frameLength, 'C'),
                ErrorFields.field(in, index, frameLength, 'M'),
                detail.isEmpty() ? null : detail,
                hint.isEmpty() ? null : hint);
    }

    /** The same error, ending the statement only. */
    public static SqlError asStatementError(SqlError error) {
        return new SqlError(SqlError.Severity.ERROR, error.sqlState(), error.message(), error.detail(), error.hint());
    }

    /** A node's connection ended. */
    public static SqlError lost(Node node) {
        return SqlError.error("08006", "the connection to node \"" + node.name() + "\" was lost")
                .withDetail("The node at " + node.address() + " closed it.")
                .withHint("Schemas on other nodes are not affected. The session connects again by itself.");
    }

    /** A node hangs: its connection is there, and nothing comes over it. */
    public static SqlError silent(Node node, long millis) {
        return SqlError.error("08006", "node \"" + node.name() + "\" does not answer")
                .withDetail("The node at " + node.address() + " has said nothing for " + millis / 1000 + " s.")
                .withHint("Schemas on other nodes are not affected. Try again when the node is back.");
    }

    /** A transaction has a snapshot of a node from before a schema moved there; whoever retries has a newer one. */
    public static SqlError arrivedBehindSnapshot(DistributedSchema schema) {
        return SqlError.error("40001", "could not serialize access because schema \"" + schema.name() + "\" has moved")
                .withDetail("It has come to node \"" + schema.node().name()
                        + "\" since the transaction began there, which does not see its rows.")
                .withHint("The transaction might succeed if retried.");
    }

    /** A text in a client's message has no end. */
    public static SqlErrorException invalidString() {
        return new SqlErrorException(SqlError.error("08P01", "invalid string in message"));
    }

    /** A client's message ends too early. */
    public static SqlErrorException insufficientData() {
        return new SqlErrorException(SqlError.error("08P01", "insufficient data left in message"));
    }

    /** A client's message is longer than what it says. */
    public static SqlErrorException invalidFormat() {
        return new SqlErrorException(SqlError.error("08P01", "invalid message format"));
    }

    /** An encoding whose characters may look like SQL. */
    public static SqlError unsafeEncoding(String encoding) {
        return SqlError.error("0A000", "client_encoding \"" + encoding + "\" is not supported")
                .withDetail("Its characters may contain bytes that look like SQL.")
                .withHint("Use UTF8.");
    }

    /** PostgreSQL's own words for a statement that its client has cancelled. */
    public static SqlError cancelled() {
        return SqlError.error("57014", "canceling statement due to user request");
    }

    /** A message of which the proxy sees only the first part, and would have to see more. */
    public static SqlError tooLong(String message, String detail) {
        return SqlError.error("54000", message)
                .withDetail(detail)
                .withHint("Raise tenantry.proxy.query-length-max, or send long values as parameters.");
    }

    /** A Bind message whose names do not end in its first part. */
    public static SqlError bindTooLong() {
        return tooLong(
                "names in Bind message are too long",
                "They must end within the first tenantry.proxy.query-length-max bytes.");
    }

    /** PostgreSQL's own words for what an implicit transaction can't do. */
    public static SqlError noTransaction(String what) {
        return SqlError.error("25P01", what + " can only be used in transaction blocks");
    }

    /** PREPARE TRANSACTION by a client, when these nodes have a part in the block. */
    public static SqlError preparedBySeveral(List<Node> nodes) {
        return SqlError.error("0A000", "a transaction of several nodes can't be prepared")
                .withDetail("The transaction has used the nodes "
                        + nodes.stream().map(node -> "\"" + node.name() + "\"").collect(Collectors.joining(", "))
                        + ".")
                .withHint("Use COMMIT, which commits on all of them or on none.");
    }

    /** PostgreSQL's own words for the name of a prepared statement that is not there; of one character a byte. */
    public static SqlError noStatement(String name) {
        return SqlError.error(
                "26000",
                name.isEmpty()
                        ? "unnamed prepared statement does not exist"
                        : "prepared statement \"" + name + "\" does not exist");
    }

    /**
     * PostgreSQL's own words for a prepared statement whose result is not what it was. Drivers know it by the name of
     * the function (pgjdbc, asyncpg), and prepare the statement anew.
     */
    public static SqlError changedResult() {
        return SqlError.error("0A000", "cached plan must not change result type")
                .withRoutine("RevalidateCachedQuery");
    }

    /** PostgreSQL's own words for a savepoint that is not there. */
    public static SqlError noSavepoint(String name) {
        return SqlError.error("3B001", "savepoint \"" + name + "\" does not exist");
    }

    /** PostgreSQL's own words for a failed block. */
    public static SqlError aborted() {
        return SqlError.error("25P02", ABORTED);
    }
}
