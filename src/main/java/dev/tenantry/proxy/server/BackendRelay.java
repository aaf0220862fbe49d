package dev.tenantry.proxy.server;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.proxy.session.ClientOutlet;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.ReplyLedger;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.ClientEncoding;
import dev.tenantry.wire.ErrorFields;
import dev.tenantry.wire.ResultShape;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of each message of a backend: it goes to the client, is swallowed, or changes the session's model. Rows
 * pass without being looked at. Lives on the client's event loop.
 */
final class BackendRelay implements FrameHandler {
    private static final int ERROR_LENGTH_MAX = 64 * 1024;

    private final BackendConnection backend;
    private final Conversation session;
    private final ClientOutlet client;
    private final RelayEvents events;

    /** What the relay tells its session. */
    interface RelayEvents {
        /** A statement has worked. */
        void confirmed(BackendConnection backend, Effects.Confirmed effect, String tag);

        /** ReadyForQuery; what the client is told. */
        byte ready(BackendConnection backend, byte status, boolean swallowed, boolean failed);

        /** The node is about to close the connection, with this error. */
        void dying(BackendConnection backend, SqlError error);

        /** Bytes go to the client as they came. */
        void forwarded(int bytes);

        /** An error has made the rest of the client's batch void. */
        void cutOff();

        /** An error comes; whether it passes. */
        boolean error(String sqlState);

        /** A ParameterStatus that the client has not seen; whether it is to see it. */
        boolean parameter(BackendConnection backend, String name, String value);

        /** COPY begins to read data, but the client has said something else behind it. */
        void copyPassedOver();

        /** The backend does not speak the protocol. */
        void broken(BackendConnection backend, String what);
    }

    BackendRelay(BackendConnection backend, Conversation session, ClientOutlet client, RelayEvents events) {
        this.backend = backend;
        this.session = session;
        this.client = client;
        this.events = events;
    }

    @Override
    public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
        ReplyLedger ledger = session.ledger();
        boolean active = isActive();
        if (active) {
            session.replies().drain(); // what is due comes before this, a row or a notice as well
        }
        return switch (type) {
            case BackendType.DATA_ROW, BackendType.COPY_DATA -> {
                if (!active || !ledger.isOwed(type)) {
                    yield answer(type);
                }
                yield ledger.isSwallowing() ? Verdict.SKIP : Verdict.FORWARD;
            }
            case BackendType.READY_FOR_QUERY, BackendType.PARAMETER_STATUS -> Verdict.WHOLE;
            case BackendType.ERROR_RESPONSE -> frameLength > ERROR_LENGTH_MAX ? answer(type) : Verdict.WHOLE;
            case BackendType.COMMAND_COMPLETE, BackendType.PORTAL_SUSPENDED ->
                ledger.hasEffectsPending() ? Verdict.WHOLE : answer(type);
            case BackendType.NOTICE_RESPONSE -> active && !ledger.isSwallowing() ? Verdict.FORWARD : Verdict.SKIP;
            case BackendType.ROW_DESCRIPTION, BackendType.NO_DATA ->
                active && ledger.isResultWanted() ? Verdict.WHOLE : answer(type);
            case BackendType.NOTIFICATION_RESPONSE -> notification(in, index, frameLength, available);
            default -> answer(type);
        };
    }

    @Override
    public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
        return switch (type) {
            case BackendType.READY_FOR_QUERY -> ready(in.getByte(index + 5));
            case BackendType.PARAMETER_STATUS -> parameter(in, index, frameLength);
            case BackendType.ERROR_RESPONSE -> error(in, index, frameLength);
            case BackendType.ROW_DESCRIPTION -> described(type, ResultShape.of(in, index, frameLength));
            case BackendType.NO_DATA -> described(type, ResultShape.NONE);
            case BackendType.COMMAND_COMPLETE -> completed(type, Bytes.raw(in, index + 5, index + frameLength - 1));
            case BackendType.PORTAL_SUSPENDED -> completed(type, ""); // what it does beside its rows is done
            default -> answer(type);
        };
    }

    private boolean isActive() {
        return session.backends().active() == backend;
    }

    private Verdict answer(byte type) {
        ReplyLedger ledger = session.ledger();
        if (!isActive() || !ledger.isOwed(type) || !BackendType.isAnswer(type)) {
            events.broken(backend, "message " + named(type) + " that nothing asked for");
            return Verdict.SKIP;
        }
        session.replies().drain();
        if (type == BackendType.COMMAND_COMPLETE && ledger.isBeginning()) {
            backend.noteStatus((byte) 'T'); // which no ReadyForQuery tells
        }
        boolean forward = ledger.next(type);
        if (type == BackendType.PARSE_COMPLETE
                && ledger.takeConfirmed()
                        instanceof PreparedOnBackend.NameChange.Prepares(Prepared prepared, boolean _, Prepared _)) {
            prepared.confirm();
        }
        if (type == BackendType.COPY_IN_RESPONSE) {
            copyBegins(ledger);
        }
        if (type == BackendType.ERROR_RESPONSE) {
            backend.prepared().undone();
            backend.unread().undo();
            PreparedOnBackend.undo(backend, session.statements(), ledger);
            if (ledger.takeCutOff()) {
                events.cutOff();
            }
        }
        return forward ? Verdict.FORWARD : Verdict.SKIP;
    }

    private void copyBegins(ReplyLedger ledger) {
        if (ledger.takeSyncsOvertaken()) {
            session.backends().extended(true);
        }
        if (ledger.isCopyPassedOver()) {
            events.copyPassedOver();
        }
    }

    private Verdict described(byte type, ResultShape shape) {
        Verdict verdict = answer(type);
        PreparedOnBackend.described(session.ledger().takeConfirmed(), shape, backend, session);
        return verdict;
    }

    private Verdict completed(byte type, String tag) {
        backend.completed(tag);
        Verdict verdict = answer(type);
        if (session.ledger().takeConfirmed() instanceof Effects.Confirmed effect) {
            events.confirmed(backend, effect, tag);
        }
        return verdict;
    }

    private Verdict ready(byte status) {
        ReplyLedger ledger = session.ledger();
        if (!isActive() || !ledger.isOwed(BackendType.READY_FOR_QUERY)) {
            return answer(BackendType.READY_FOR_QUERY);
        }
        backend.noteStatus(status);
        session.transaction().takeDeadlock(); // what was to be cancelled has ended before
        session.replies().drain();
        boolean swallowed = ledger.isSwallowing();
        if (answer(BackendType.READY_FOR_QUERY) == Verdict.SKIP) {
            events.ready(backend, status, swallowed, ledger.takeFailed());
            return Verdict.SKIP;
        }
        byte told = events.ready(backend, status, false, ledger.takeFailed());
        if (told == status) {
            return Verdict.FORWARD;
        }
        backend.flushRun();
        ByteBuf out = client.allocator().buffer(6);
        BackendMessages.readyForQuery(out, told);
        client.write(out);
        return Verdict.SKIP;
    }

    private Verdict parameter(ByteBuf in, int index, int frameLength) {
        int end = index + frameLength;
        int nameEnd = Bytes.endOfString(in, index + 5, end);
        backend.noteParameter(in, index, frameLength);
        String name = Bytes.string(in, index + 5, nameEnd);
        String value = Objects.requireNonNull(backend.parameters().get(name));
        if (isActive() && name.equals(ClientEncoding.SETTING) && !ClientEncoding.isSafe(value)) {
            // Set where nobody could see it: what the client says next might not be what we take it for.
            events.dying(backend, SqlErrors.unsafeEncoding(value).asFatal());
            return Verdict.SKIP;
        }
        return isActive() && events.parameter(backend, name, value) ? Verdict.FORWARD : Verdict.SKIP;
    }

    private Verdict error(ByteBuf in, int index, int frameLength) {
        String severity = ErrorFields.field(in, index, frameLength, 'V');
        if (severity.equals("FATAL") || severity.equals("PANIC")) {
            events.dying(backend, SqlErrors.of(in, index, frameLength));
            return Verdict.SKIP;
        }
        if (isActive() && session.ledger().isBeginning()) {
            // A cancel, or a timeout. The server ignores what follows up to a Sync, and must not come to that.
            events.dying(backend, SqlErrors.of(in, index, frameLength));
            return Verdict.SKIP;
        }
        String sqlState = ErrorFields.field(in, index, frameLength, 'C');
        SqlError deadlock =
                sqlState.equals("57014") && session.transaction().takeDeadlock() ? SqlErrors.deadlock() : null;
        if (!events.error(deadlock == null ? sqlState : deadlock.sqlState())) {
            return Verdict.SKIP;
        }
        Verdict verdict = answer(BackendType.ERROR_RESPONSE);
        if (verdict == Verdict.FORWARD && deadlock != null) {
            backend.flushRun();
            ByteBuf out = client.allocator().buffer(256);
            BackendMessages.error(out, deadlock);
            client.write(out);
            return Verdict.SKIP;
        }
        return verdict;
    }

    private Verdict notification(ByteBuf in, int index, int frameLength, int available) {
        if (isActive()) {
            return Verdict.FORWARD;
        }
        if (available < frameLength) {
            return Verdict.WHOLE;
        }
        session.replies().aside(in.retainedSlice(index, frameLength));
        return Verdict.SKIP;
    }

    private static String named(byte type) {
        return type > ' ' && type < 0x7f ? "'" + (char) type + "'" : String.valueOf(type & 0xff);
    }

    @Override
    public void forward(ByteBuf run) {
        events.forwarded(run.readableBytes());
        client.write(run);
    }

    @Override
    public void malformed(byte type, int length) {
        events.broken(backend, "message " + named(type) + " of length " + length);
    }

    /** The values of parameters that the client has been told, so that a switch of backends can be told as well. */
    static final class ClientParameters {
        private final Map<String, String> told = new HashMap<>();
        private boolean missed;

        /** Says what the client has been told otherwise, or not at all; of a backend that it goes on with. */
        void tell(BackendConnection backend, Conversation session) {
            backend.parameters().forEach((name, value) -> {
                if (tell(name, value)) {
                    ByteBuf out = session.replies().buffer();
                    BackendMessages.parameterStatus(
                            out, name, value, session.settings().charset());
                    session.replies().send(out);
                }
            });
        }

        /** Notes a value; whether the client had another. */
        boolean tell(String name, String value) {
            return !value.equals(told.put(name, value));
        }

        /**
         * The same, but for what a server reports on behalf of the session itself: the client is to hear of that when
         * what it has sent has come to its end, as a server would report it.
         */
        boolean hears(String name, String value, boolean early) {
            missed |= early;
            return !missed && tell(name, value);
        }

        /** The session has carried out something itself that a server may have reported to it alone. */
        void misses() {
            missed = true;
        }

        /** Whether the client has yet to hear of something; asked once. */
        boolean takeMissed() {
            boolean was = missed;
            missed = false;
            return was;
        }

        @Nullable
        String told(String name) {
            return told.get(name);
        }
    }
}
