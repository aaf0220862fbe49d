package dev.tenantry.proxy.session;

import dev.tenantry.wire.BackendType;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The replies that the client of one session still expects, in order, each to forward, swallow or make up.
 *
 * <p>The rule of errors is PostgreSQL's ("Extended Query" in "Message Flow"): after an ErrorResponse to an extended
 * message the server ignores everything up to Sync, so nothing before that Sync is owed any more; an error inside a
 * Query or FunctionCall ends only that one, with its own ReadyForQuery.
 *
 * <p>Each entry may carry an effect: what changes in the session's model when the server confirms the statement. Not
 * thread-safe; lives on the client's event loop; allocates nothing once it has grown.
 */
public final class ReplyLedger {
    private static final int INITIAL = 16;
    private static final int OWED_MAX = 10_000;

    private Expected[] kinds = new Expected[INITIAL];
    private boolean[] swallowed = new boolean[INITIAL];
    private @Nullable Object[] effects = new Object[INITIAL];
    private int[] copyEndsBefore = new int[INITIAL];
    private int head;
    private int size;
    private long noted;
    private int effectsPending;
    private int beginsOwed;
    private int statementInQuery;
    private boolean answered;
    private boolean skipping;
    private @Nullable Object failedParse;
    private boolean failed;
    private boolean cutOff;
    private boolean batchOpen;
    private @Nullable Object confirmed;
    private final List<Object> undone = new ArrayList<>();
    private boolean copyIn;
    private int copyEnds;
    private int copiesBegun;
    private int syncsInCopy;
    private boolean syncsOvertaken;

    /** Notes that the backend owes a reply; {@code effect} is what its success changes, or null. */
    public void expect(Expected kind, boolean swallow, @Nullable Object effect) {
        if (skipping) {
            if (kind != Expected.SYNC) {
                return; // the server ignores it, and so do we
            }
            skipping = false;
        }
        add(kind, swallow, effect);
        if (effect != null && kind.countsAsPending()) {
            effectsPending++;
        }
    }

    /** Notes a reply of our own; owns the buffer. */
    public void makeUp(ByteBuf reply) {
        if (skipping) {
            reply.release();
        } else {
            add(Expected.MADE_UP, false, reply);
        }
    }

    /** Whether nothing is owed. */
    public boolean isEmpty() {
        return size == 0;
    }

    /** Whether a message of the backend can be (part of) a reply that is owed. */
    public boolean isOwed(byte type) {
        if (type != BackendType.READY_FOR_QUERY) {
            return size > 0;
        }
        return isAnswerToSyncInCopy() || size > 0 && (kinds[head] == Expected.SYNC || answered);
    }

    /** Whether so much is owed that the client must be heard out before it says more. */
    public boolean isCrowded() {
        return size > OWED_MAX;
    }

    /** How many replies were ever noted: the number of the last one. */
    public long noted() {
        return noted;
    }

    /** The number of the reply that was given last, or void: all up to it are done with. */
    public long settled() {
        return noted - size;
    }

    /** How many replies are owed. */
    public int size() {
        return size;
    }

    /** Whether the session's model may still change by a reply that is owed. */
    public boolean hasEffectsPending() {
        return effectsPending > 0;
    }

    /** Whether the reply that is owed next tells of a BEGIN of our own. */
    public boolean isBeginning() {
        return size > 0 && (kinds[head].isBegin() || kinds[head] == Expected.BEGIN_QUERY);
    }

    /** Whether a BEGIN without Sync is not confirmed; if it fails, what comes before the next Sync does not run. */
    public boolean isBeginOwed() {
        return beginsOwed > 0;
    }

    /** Whether such a BEGIN is all that was sent last, so that nothing makes the backend answer it. */
    public boolean endsInBegin() {
        int last = size - 1;
        while (last >= 0 && kinds[(head + last) & (kinds.length - 1)] == Expected.MADE_UP) {
            last--; // which the backend knows nothing of
        }
        return last >= 0 && kinds[(head + last) & (kinds.length - 1)].isBegin();
    }

    /** Whether an error was seen and the Sync that ends the skipping has not been sent yet. */
    public boolean isSkipping() {
        return skipping;
    }

    /** Whether the session wants to know what the next RowDescription or NoData says. */
    public boolean isResultWanted() {
        return size > 0 && kinds[head].isDescription() && effects[head] != null;
    }

    /** Whether the reply that is owed next belongs to the session itself. */
    public boolean isSwallowing() {
        return size > 0 && swallowed[head];
    }

    /** The next reply, if it is one of our own; removes it; the caller owns the buffer. */
    @Nullable
    public ByteBuf takeMadeUp() {
        if (size == 0 || kinds[head] != Expected.MADE_UP) {
            return null;
        }
        ByteBuf reply = (ByteBuf) effects[head];
        pop();
        return reply;
    }

    /**
     * Whether an error has cut off a batch whose Sync the client has not sent yet, although a Sync of our own is on its
     * way; asked once.
     */
    public boolean takeCutOff() {
        boolean was = cutOff;
        cutOff = false;
        return was;
    }

    /** The effect that the last {@link #next} confirmed, once. */
    @Nullable
    public Object takeConfirmed() {
        Object effect = confirmed;
        confirmed = null;
        return effect;
    }

    /** Whether the backend reads COPY data, so that it ignores Flush and Sync ("COPY Operations"). */
    public boolean isCopyIn() {
        return copyIn;
    }

    /** Whether Syncs that were sent are void because a COPY has begun; asked once. */
    public boolean takeSyncsOvertaken() {
        boolean were = syncsOvertaken;
        syncsOvertaken = false;
        return were;
    }

    /**
     * Whether the backend reads COPY data although something else that the client has sent behind the COPY is answered
     * already by ourselves.
     */
    public boolean isCopyPassedOver() {
        for (int i = 1; copyIn && i < size; i++) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at] == Expected.MADE_UP
                    && effects[at] instanceof ByteBuf reply
                    && BackendType.isAnswer(reply.getByte(reply.readerIndex()))) {
                return true;
            }
        }
        return false;
    }

    /**
     * The client has sent the end of its COPY data, or what it takes for it.
     *
     * @return whether an Execute may be what it ends, so that a Sync must follow
     */
    public boolean copyEnded() {
        copyIn = false;
        copyEnds++;
        for (int i = 0; i < size; i++) {
            if (kinds[(head + i) & (kinds.length - 1)] == Expected.EXECUTE) {
                return true;
            }
        }
        return false;
    }

    /**
     * The backend begins to read COPY data: Syncs that were sent behind the COPY already are ignored by it, as libpq
     * knows and sends another one behind the data.
     *
     * @return whether there were such Syncs
     */
    private boolean copyInBegins() {
        copyIn = copyEnds - copyEndsBefore[head] <= copiesBegun++;
        boolean ignored = false;
        while (size > 1 && isSyncOfCopy((head + 1) & (kinds.length - 1))) {
            for (int i = 1; i < size - 1; i++) {
                move((head + i + 1) & (kinds.length - 1), (head + i) & (kinds.length - 1));
            }
            size--;
            syncsInCopy++;
            ignored = true;
        }
        return ignored;
    }

    private boolean isSyncOfCopy(int at) {
        return kinds[at] == Expected.SYNC && copyEndsBefore[at] == copyEndsBefore[head];
    }

    private void move(int from, int to) {
        kinds[to] = kinds[from];
        swallowed[to] = swallowed[from];
        effects[to] = effects[from];
        copyEndsBefore[to] = copyEndsBefore[from];
    }

    /** Whether the batch that the last ReadyForQuery ended had an error; asked once. */
    public boolean takeFailed() {
        boolean was = failed;
        failed = false;
        return was;
    }

    /**
     * A message of the backend that answers something has come; asynchronous ones are not asked about.
     *
     * @return whether it goes to the client
     * @throws IllegalStateException when nothing is owed: the backend and we disagree, so the session must end
     */
    public boolean next(byte type) {
        if (type == BackendType.READY_FOR_QUERY && isAnswerToSyncInCopy()) {
            syncsInCopy--;
            skipping = false;
            return true;
        }
        if (size == 0 || kinds[head] == Expected.MADE_UP) {
            throw new IllegalStateException("unexpected backend message '" + (char) type + "'");
        }
        confirmed = null;
        boolean forward = !swallowed[head] && !kinds[head].isToldLater(type);
        answered |= kinds[head].endsWithReady() && BackendType.answersWhole(type);
        switch (type) {
            case BackendType.PARSE_COMPLETE -> popStep(Expected.PARSE);
            case BackendType.BIND_COMPLETE -> popStep(Expected.BIND);
            case BackendType.CLOSE_COMPLETE -> popStep(Expected.CLOSE);
            case BackendType.ROW_DESCRIPTION, BackendType.NO_DATA -> {
                if (kinds[head].isDescription()) {
                    popIf(kinds[head]);
                }
            }
            case BackendType.COMMAND_COMPLETE, BackendType.EMPTY_QUERY_RESPONSE -> completed();
            case BackendType.PORTAL_SUSPENDED -> popIf(Expected.EXECUTE);
            case BackendType.ERROR_RESPONSE -> forward |= error();
            case BackendType.COPY_IN_RESPONSE -> syncsOvertaken = copyInBegins();
            case BackendType.READY_FOR_QUERY -> ready();
            default -> {
                // rows, copy data, parameter descriptions: the reply goes on
            }
        }
        return forward;
    }

    /**
     * What the client waits for when the backend that owes it is lost, in order: an {@link Expected} for each reply
     * that ends with ReadyForQuery, and our own replies, owned by the caller, that do not belong to a batch that is
     * lost.
     */
    public List<Object> takeEnds() {
        List<Object> ends = new ArrayList<>();
        batchOpen = false;
        for (int i = 0; i < size; i++) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at] == Expected.MADE_UP) {
                if (!batchOpen && effects[at] instanceof ByteBuf reply) {
                    ends.add(reply);
                    effects[at] = null;
                }
            } else if (!kinds[at].endsWithReady()) {
                batchOpen |= !kinds[at].isBegin();
            } else if (!swallowed[at]) {
                ends.add(kinds[at]);
                batchOpen = false;
            }
        }
        return ends;
    }

    /** Whether the last {@link #takeEnds} saw a batch of which the client has not sent the Sync. */
    public boolean isBatchOpen() {
        return batchOpen;
    }

    /** Nothing of what is owed comes any more; what that prevents is {@link #undone()}. */
    public void lose() {
        failedParse = null;
        while (size > 0) {
            drop();
        }
        skipping = false;
        failed = false;
        cutOff = false;
        effectsPending = 0;
        copyIn = false;
        syncsInCopy = 0;
    }

    /** Forgets everything that is owed. */
    public void clear() {
        lose();
        undone.clear();
    }

    /**
     * A COPY that fails before it reads anything leaves the Sync behind it to be answered after all: a ReadyForQuery
     * that nothing else can be owed.
     */
    private boolean isAnswerToSyncInCopy() {
        return syncsInCopy > 0 && (size == 0 || !kinds[head].endsWithReady());
    }

    private void popStep(Expected kind) {
        popIf(kinds[head] == Expected.BEGIN_STEP ? Expected.BEGIN_STEP : kind);
    }

    private void popIf(Expected kind) {
        if (kinds[head] == kind) {
            if (effects[head] != null) {
                confirm(effects[head]);
            }
            pop();
        }
    }

    private void completed() {
        copyIn = false;
        syncsInCopy = 0;
        if (kinds[head] == Expected.EXECUTE || kinds[head] == Expected.BEGIN) {
            popIf(kinds[head]);
        } else if (kinds[head].isQuery() && effects[head] != null) {
            if (effects[head] instanceof List<?> statements) {
                if (statementInQuery < statements.size()) {
                    confirmed = statements.get(statementInQuery++);
                }
            } else {
                confirm(effects[head]);
                effects[head] = null;
            }
        }
    }

    private void confirm(@Nullable Object effect) {
        confirmed = effect;
        if (kinds[head].countsAsPending()) {
            effectsPending--;
        }
    }

    /** An error; whether the client must see it although the reply was to be swallowed. */
    private boolean error() {
        failed = true;
        copyIn = false;
        Expected kind = kinds[head];
        if (kind.endsWithReady()) {
            return true;
        }
        failedParse = kind == Expected.PARSE ? effects[head] : null;
        while (size > 0 && kinds[head] != Expected.SYNC) {
            drop();
        }
        skipping = size == 0;
        cutOff = size > 0 && swallowed[head];
        return true;
    }

    /**
     * What the model took for granted of prepared statements and an error has prevented: those that were not prepared
     * come before those that were not closed. The caller clears the list.
     */
    public List<Object> undone() {
        return undone;
    }

    /** The effect of the Parse that the last error answered, or null when it answered something else. */
    @Nullable
    public Object failedParse() {
        return failedParse;
    }

    private void drop() {
        Object effect = effects[head];
        if (effect != null && kinds[head] == Expected.CLOSE) {
            undone.add(effect);
        } else if (effect != null && !(effect instanceof ByteBuf)) {
            undone.addFirst(effect);
        }
        if (kinds[head] == Expected.MADE_UP) {
            if (effects[head] instanceof ByteBuf reply) {
                reply.release();
            }
        } else if (effects[head] != null && kinds[head].countsAsPending()) {
            effectsPending--;
        }
        pop();
    }

    private void ready() {
        Expected kind = kinds[head];
        if (!kind.endsWithReady()) {
            throw new IllegalStateException("ReadyForQuery while " + kind + " is owed");
        }
        if (effects[head] != null) {
            effectsPending--;
        }
        pop();
    }

    private void add(Expected kind, boolean swallow, @Nullable Object effect) {
        if (size == kinds.length) {
            grow();
        }
        int tail = (head + size) & (kinds.length - 1);
        kinds[tail] = kind;
        swallowed[tail] = swallow;
        effects[tail] = effect;
        copyEndsBefore[tail] = copyEnds;
        beginsOwed += kind.isBegin() ? 1 : 0;
        size++;
        noted++;
    }

    private void pop() {
        answered = false;
        statementInQuery = 0;
        copiesBegun = 0;
        beginsOwed -= kinds[head].isBegin() ? 1 : 0;
        effects[head] = null;
        head = (head + 1) & (kinds.length - 1);
        size--;
    }

    private void grow() {
        int length = kinds.length;
        Expected[] newKinds = Arrays.copyOf(kinds, length * 2);
        boolean[] newSwallowed = new boolean[length * 2];
        @Nullable Object[] newEffects = new Object[length * 2];
        int[] newCopyEndsBefore = new int[length * 2];
        for (int i = 0; i < size; i++) {
            int from = (head + i) & (length - 1);
            newKinds[i] = kinds[from];
            newSwallowed[i] = swallowed[from];
            newEffects[i] = effects[from];
            newCopyEndsBefore[i] = copyEndsBefore[from];
        }
        kinds = newKinds;
        swallowed = newSwallowed;
        effects = newEffects;
        copyEndsBefore = newCopyEndsBefore;
        head = 0;
    }
}
