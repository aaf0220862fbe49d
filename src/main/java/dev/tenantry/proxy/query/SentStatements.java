package dev.tenantry.proxy.query;

import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.ReplyLedger;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SessionSettings.State;
import dev.tenantry.routing.HeldStatements;
import dev.tenantry.routing.UsedSchemas;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.Rows;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a session has sent to nodes in the transactions that have not ended: which schemas may be in use by it, on its
 * way to a node included. Each statement is told before it is sent; it costs some stores. Lives on the client's event
 * loop.
 */
final class SentStatements {
    private static final int KEPT_MAX = 32;

    private final SessionContext context;
    private final ReplyLedger ledger;
    private final Conversation session;
    private @Nullable StatementFacts[] statements = new StatementFacts[2];
    private @Nullable State[] states = new State[2];
    private long[] replies = new long[2];
    private int size;
    private final Set<String> older = new HashSet<>();
    private long olderReply;
    private long endedReply;
    private long ended;
    private long unknownReply;

    SentStatements(Conversation session, SessionContext context) {
        this.session = session;
        this.context = context;
        this.ledger = session.ledger();
    }

    /** The statement is about to be sent, or prepared for, as the session's settings are now. */
    void add(StatementFacts facts) {
        noteEnd();
        State state = session.settings().current();
        long reply = ledger.noted() + 1;
        if (size > 0 && replies[size - 1] <= endedReply) {
            size = 0; // and none before it is newer
        }
        if (size > 0 && statements[size - 1] == facts && states[size - 1] == state) {
            replies[size - 1] = reply; // Parse, Bind and the message that is looked at once more
            return;
        }
        if (size == statements.length) {
            makeRoom();
        }
        statements[size] = facts;
        states[size] = state;
        replies[size] = reply;
        size++;
    }

    /** A string of several statements is about to be sent as it is. */
    void addString(List<StatementFacts> string) {
        noteEnd();
        forgetOlder();
        State state = session.settings().current();
        for (StatementFacts facts : string) {
            UsedSchemas.addTo(older, context.executed(facts), () -> context.schemasOnPath(state));
            UsedSchemas.addSet(older, facts);
        }
        olderReply = ledger.noted() + 1;
    }

    /** A message is about to be sent that tells nothing of what it uses. */
    void addUnknown() {
        unknownReply = ledger.noted() + 1;
    }

    /** The reply that was given last has ended a transaction. */
    void transactionEnded() {
        endedReply = ledger.settled();
        ended = session.transaction().ended();
    }

    /** One that a node does not end by a ReadyForQuery of its own: what was answered by now belongs to it. */
    private void noteEnd() {
        if (session.transaction().ended() != ended) {
            transactionEnded();
        }
    }

    /**
     * Whether what a transaction has used that has not ended, or a statement that is on its way, may be the schema.
     *
     * @param preparing whether what was told last is under way, although no reply to the client is owed for it yet
     */
    boolean mayUse(String schema, boolean preparing) {
        noteEnd();
        long last = preparing ? ledger.noted() + 1 : ledger.noted();
        if (isUnderWay(unknownReply, last) || isUnderWay(olderReply, last) && older.contains(schema)) {
            return true;
        }
        Set<String> names = new HashSet<>();
        for (int i = 0; i < size; i++) {
            if (isUnderWay(replies[i], last)) {
                addNames(i, names);
            }
        }
        return names.contains(schema);
    }

    /** Whether what a transaction has done that has not ended, or is on its way, was to read and nothing else. */
    boolean onlyRead() {
        noteEnd();
        long last = ledger.noted();
        boolean reads = !isUnderWay(unknownReply, last) && !isUnderWay(olderReply, last);
        for (int i = 0; i < size && reads; i++) {
            StatementFacts facts = statements[i];
            reads = !isUnderWay(replies[i], last)
                    || facts != null && facts.rows() == Rows.READS && HeldStatements.reads(facts);
        }
        return reads;
    }

    private boolean isUnderWay(long reply, long last) {
        return reply > endedReply && reply <= last;
    }

    private void addNames(int index, Set<String> names) {
        StatementFacts facts = statements[index];
        State state = states[index];
        if (facts != null && state != null) {
            UsedSchemas.addTo(names, facts, () -> context.schemasOnPath(state));
        }
    }

    /** A long transaction is remembered by the names of its schemas, of which there are less. */
    private void makeRoom() {
        if (size < KEPT_MAX) {
            statements = Arrays.copyOf(statements, 2 * size);
            states = Arrays.copyOf(states, 2 * size);
            replies = Arrays.copyOf(replies, 2 * size);
            return;
        }
        forgetOlder();
        for (int i = 0; i < size; i++) {
            if (replies[i] > endedReply) {
                addNames(i, older);
            }
        }
        olderReply = Math.max(olderReply, replies[size - 1]);
        size = 0;
    }

    private void forgetOlder() {
        if (olderReply <= endedReply) {
            older.clear();
        }
    }
}
