package dev.tenantry.proxy.server;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import java.util.List;

/** Answers what a lost backend owed, so that the client's count of replies stays right. */
final class LostReplies {

    /** What the client has been told of the loss. */
    enum Told {
        /** Nothing: it does not wait for anything, or for what others owe. */
        NOTHING,
        /** It has an error for what it waits for. */
        REPLIES,
        /** And it has still to send the Sync that ends the batch. */
        BATCH
    }

    private LostReplies() {}

    /**
     * Tells the client the error in the place of everything owed.
     *
     * @param inBatch whether the backend has executed something of a batch that it has not seen the Sync of: the rest
     *     of the batch must not go on elsewhere without it, even if nothing is owed just now
     */
    static Told tell(
            BackendConnection backend, SqlError error, Conversation session, boolean inBlock, boolean inBatch) {
        TransactionScope transaction = session.transaction();
        if (inBlock) {
            transaction.fail();
        }
        List<Object> ends = session.ledger().takeEnds();
        boolean openBatch = inBatch || session.ledger().isBatchOpen();
        PreparedOnBackend.lost(backend, session.statements(), session.ledger());
        ByteBuf out = session.replies().buffer();
        boolean first = true;
        for (Object end : ends) {
            if (end instanceof ByteBuf own) {
                out.writeBytes(own);
                own.release();
                continue;
            }
            if (first || !transaction.isOpen()) {
                session.replies().error(out, error);
            } else {
                session.replies().error(out, SqlErrors.aborted());
            }
            first = false;
            if (end != Expected.QUERY_PART && end != Expected.QUERY_LAST) {
                BackendMessages.readyForQuery(out, transaction.status());
            }
        }
        if (openBatch) {
            session.replies().error(out, first || !transaction.isOpen() ? error : SqlErrors.aborted());
        }
        session.replies().send(out);
        return openBatch ? Told.BATCH : first ? Told.NOTHING : Told.REPLIES;
    }
}
