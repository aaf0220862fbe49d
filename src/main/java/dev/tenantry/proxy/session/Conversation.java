package dev.tenantry.proxy.session;

/**
 * The state of one client's session, each part a thing of its own that can be tested without a socket. All of it lives
 * on the client's event loop.
 *
 * @param ledger the replies the client still expects
 * @param settings what it has SET
 * @param transaction its transaction block
 * @param statements what it has prepared
 * @param backends its connections to nodes
 * @param replies what the proxy itself says
 */
public record Conversation(
        ReplyLedger ledger,
        SessionSettings settings,
        TransactionScope transaction,
        PreparedStatements statements,
        SessionBackends backends,
        Replies replies) {

    /**
     * The client is gone, and with it what it waits for and its connections.
     *
     * @param reusable whether others may have them: nothing that concerns them is still on its way to a node
     */
    public void abandon(boolean reusable) {
        backends.abandonAll(!ledger.isEmpty(), reusable);
        ledger.clear();
        replies.clear();
    }
}
