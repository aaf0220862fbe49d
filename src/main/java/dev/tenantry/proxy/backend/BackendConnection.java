package dev.tenantry.proxy.backend;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.net.FrameCutter;
import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a node: its protocol state, what it was told of the session, its health. While a call of the
 * proxy's own runs on it, its messages go to the call; otherwise to the session that holds it. Lives on one event loop.
 */
public final class BackendConnection extends ChannelInboundHandlerAdapter {
    /** Transaction status of a backend that is not in a transaction. */
    public static final byte IDLE = 'I';

    /** The tag also of ROLLBACK TO, and of COMMIT in a block that has failed. */
    private static final String ROLLBACK = "ROLLBACK";

    /** Its process forgets what the transaction did; whether it will have been done, is not known there. */
    private static final String PREPARE_TRANSACTION = "PREPARE TRANSACTION";

    private final Node node;
    private final Channel channel;
    private final long openedNanos = System.nanoTime();
    private final FrameCutter cutter;
    private final ReportedParameters parameters = new ReportedParameters();
    private final NamedStatements prepared = new NamedStatements();
    private @Nullable FrameHandler relay;
    private @Nullable BackendListener listener;
    private @Nullable BackendLogin login;
    private @Nullable CallCollector call;
    private int processId;
    private byte[] secretKey = new byte[0];
    private byte status = IDLE;
    private @Nullable Object label;
    private @Nullable Object openLabel;
    private boolean closed;
    private boolean dirty;
    private boolean traced;
    private final UnreadSettings unread = new UnreadSettings();
    private boolean sequenced;
    private boolean customized;
    private boolean spoilt;
    private long cleanNanos = System.nanoTime();

    BackendConnection(Node node, Channel channel) {
        this.node = node;
        this.channel = channel;
        this.cutter = new FrameCutter(new Dispatch(), channel.alloc());
    }

    // --- what it is ---------------------------------------------------------------------------------------------

    /** The node at the other end. */
    public Node node() {
        return node;
    }

    /** Its allocator, for messages to be written to it. */
    public Channel channel() {
        return channel;
    }

    /** What the server has reported of its settings, by name as reported. */
    public Map<String, String> parameters() {
        return parameters.values();
    }

    /** The clients' prepared statements that this backend knows; the session that has it keeps that. */
    public NamedStatements prepared() {
        return prepared;
    }

    /** The settings it has, as the session interned them; null when it has none beyond start-up. */
    public @Nullable Object label() {
        return label;
    }

    /** Notes the settings it has from now on. */
    public void label(@Nullable Object settings) {
        label = settings;
    }

    /** The settings it has inside the session's open transaction, as the session interned them. */
    public @Nullable Object openLabel() {
        return openLabel;
    }

    /** Notes the settings it has inside the open transaction. */
    public void openLabel(Object settings) {
        openLabel = settings;
    }

    /** Something has run that may have left a trace in the server process. */
    public void trace() {
        traced = true;
    }

    /** The same, where it may have set these settings to what only the server knows. */
    public void trace(Collection<String> settings) {
        traced = true;
        unread.add(settings);
    }

    /** Settings that may have a value that nobody has read, since {@link #clean}. */
    public UnreadSettings unread() {
        return unread;
    }

    /** Whether {@link #trace} was called since the process was last known to have none. */
    public boolean isTraced() {
        return traced;
    }

    /** Whether {@code currval} may tell there what a sequence has given a session. */
    public boolean isSequenced() {
        return sequenced;
    }

    /** Notes whether {@code currval} may tell there what a sequence has given a session. */
    public void sequenced(boolean may) {
        sequenced = may;
    }

    /** A setting with a prefix was set, which is empty there ever after and not null. */
    public void customized() {
        customized = true;
    }

    /** Whether {@link #customized} was ever called. */
    public boolean isCustomized() {
        return customized;
    }

    /** No other session must have it, for what nothing removes from it: random numbers that a session has begun. */
    public void spoil() {
        spoilt = true;
    }

    /** Whether {@link #spoil} was ever called. */
    public boolean isSpoilt() {
        return spoilt;
    }

    /** When the process was last known to have no trace of any session, of {@link System#nanoTime()}. */
    public long cleanNanos() {
        return cleanNanos;
    }

    /** The process has no trace of any session but its label and prepared statements. */
    public void clean() {
        traced = false;
        unread.clear();
        cleanNanos = System.nanoTime();
    }

    /** {@code I}, {@code T} or {@code E}, as of its last ReadyForQuery. */
    public byte status() {
        return status;
    }

    /** Whether the connection has ended. */
    public boolean isClosed() {
        return closed;
    }

    /** How long ago it was opened, ms. */
    public long ageMillis() {
        return (System.nanoTime() - openedNanos) / 1_000_000;
    }

    /** Whether a call of the proxy's own runs on it. */
    public boolean isInCall() {
        return call != null;
    }

    /** Whether it is encrypted. */
    public boolean isEncrypted() {
        return channel.pipeline().get(SslHandler.class) != null;
    }

    /** The number that identifies it in a cancel request. */
    public int processId() {
        return processId;
    }

    /** The key that goes with {@link #processId}. */
    public byte[] secretKey() {
        return secretKey.clone();
    }

    // --- talking to it ------------------------------------------------------------------------------------------

    /** Makes the session the receiver of everything that comes from now on. */
    public void attach(BackendListener newListener) {
        listener = newListener;
        relay = newListener.frames(this);
    }

    /** Writes messages; owns the buffer; they leave with the next {@link #flush}. */
    public void write(ByteBuf messages) {
        dirty = true;
        channel.write(messages, channel.voidPromise());
    }

    /** Lets everything written leave. */
    public void flush() {
        if (dirty) {
            dirty = false;
            channel.flush();
        }
    }

    /** Whether more should be written now. */
    public boolean isWritable() {
        return channel.isWritable();
    }

    /** Stops or starts to read from the node. */
    public void autoRead(boolean on) {
        channel.config().setAutoRead(on);
    }

    /**
     * Hands over what was decided to go to the client so far, so that the session can write something of its own behind
     * it.
     */
    public void flushRun() {
        cutter.flushRun();
    }

    /** Whether a part of a message has gone to the client and the rest has not come yet. */
    public boolean isInsideBody() {
        return cutter.isInsideBody();
    }

    /** Runs a simple-protocol string; see {@link #call(ByteBuf, int)}. */
    public CompletableFuture<CallResult> call(String sql) {
        ByteBuf out = channel.alloc().buffer(sql.length() + 8);
        FrontendMessages.query(out, sql);
        return call(out, 1);
    }

    /**
     * Sends messages and collects what is answered. Only when nothing else is owed by this backend, on its event loop.
     *
     * @param messages owned by the callee
     * @param readyExpected how many ReadyForQuery end the answer
     * @return completes on the event loop; with {@link BackendLost} when the connection ends first
     */
    public CompletableFuture<CallResult> call(ByteBuf messages, int readyExpected) {
        if (call != null) {
            messages.release();
            throw new IllegalStateException("a call runs on node " + node.name() + " already");
        }
        CallCollector collector = new CallCollector(this, readyExpected);
        if (closed) {
            messages.release();
            collector.connectionLost();
            return collector.future();
        }
        call = collector;
        prepared.remove(""); // the messages end the client's unnamed statement
        write(messages);
        flush();
        return collector.future();
    }

    /** Ends the connection unless that has been answered by then; for its event loop. */
    public <T> CompletableFuture<T> within(long millis, CompletableFuture<T> answer) {
        ScheduledFuture<?> deadline = channel.eventLoop().schedule(this::close, millis, TimeUnit.MILLISECONDS);
        return answer.whenComplete((result, problem) -> deadline.cancel(false));
    }

    /** Says goodbye and ends the connection. */
    public void terminate() {
        if (!closed) {
            ByteBuf out = channel.alloc().buffer(5);
            FrontendMessages.bodiless(out, FrontendType.TERMINATE);
            channel.writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
        }
    }

    /**
     * Says goodbye and waits until the node has ended the connection, which it does when the process behind it is gone;
     * after this many ms it is ended anyway. Completes on the event loop.
     */
    public CompletableFuture<Void> leave(long timeoutMillis) {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        channel.closeFuture().addListener(done -> gone.complete(null));
        if (!closed) {
            ByteBuf out = channel.alloc().buffer(5);
            FrontendMessages.bodiless(out, FrontendType.TERMINATE);
            channel.writeAndFlush(out);
            ScheduledFuture<?> deadline =
                    channel.eventLoop().schedule(this::close, timeoutMillis, TimeUnit.MILLISECONDS);
            channel.closeFuture().addListener(done -> deadline.cancel(false));
        }
        return gone;
    }

    /** Ends the connection without a word. */
    public void close() {
        channel.close();
    }

    /** Gives the session a notification, a whole message, that came while it did not hold the connection. */
    public void notified(byte[] message) {
        FrameHandler receiver = relay;
        ByteBuf in = Unpooled.wrappedBuffer(message);
        if (receiver != null
                && receiver.header(BackendType.NOTIFICATION_RESPONSE, in, 0, message.length, message.length)
                        == Verdict.FORWARD) {
            receiver.forward(in);
        } else {
            in.release();
        }
    }

    // --- what comes from it -------------------------------------------------------------------------------------

    void startLogin(BackendLogin newLogin) {
        login = newLogin;
    }

    void loggedIn(int newProcessId, byte[] newSecretKey) {
        login = null;
        processId = newProcessId;
        secretKey = newSecretKey.clone();
    }

    void endCall() {
        call = null;
    }

    /** A statement has been completed with this tag. */
    public void completed(String tag) {
        if (tag.equals(ROLLBACK) || tag.equals(PREPARE_TRANSACTION)) {
            prepared.undone();
        }
    }

    /** Notes what ReadyForQuery said. */
    public void noteStatus(byte newStatus) {
        status = newStatus;
        parameters.settle();
        if (newStatus == IDLE) {
            unread.settle();
        }
    }

    /** Notes a ParameterStatus message. */
    public void noteParameter(ByteBuf in, int index, int frameLength) {
        parameters.note(in, index, frameLength);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        BackendLogin starting = login;
        if (starting != null) {
            starting.connected();
        }
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof ByteBuf in) {
            cutter.feed(in);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        BackendListener receiver = listener;
        if (receiver != null) {
            receiver.readComplete(this);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        BackendListener receiver = listener;
        if (receiver != null) {
            receiver.writabilityChanged(this);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        closed = true;
        cutter.close();
        if (login != null) {
            login.connectionLost();
        }
        CallCollector running = call;
        call = null;
        BackendListener receiver = listener;
        if (receiver != null) {
            receiver.closed(this); // before the call fails: what it was for is answered out of the session's new state
        }
        if (running != null) {
            running.connectionLost();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (BackendConnector.isReadTooSoon(cause)) {
            return;
        }
        if (login != null) {
            login.failed(cause);
        }
        context.close();
    }

    /** Sends each message to whoever it is for at that moment. */
    private final class Dispatch implements FrameHandler {

        /** A notification is for who listens, also while a call of the proxy's own runs. */
        private FrameHandler receiver(byte type) {
            boolean called = call != null && !(type == BackendType.NOTIFICATION_RESPONSE && relay != null);
            FrameHandler receiver = login != null ? login : called ? call : relay;
            if (receiver == null) {
                throw new IllegalStateException("nobody listens to node " + node.name());
            }
            return receiver;
        }

        @Override
        public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
            return receiver(type).header(type, in, index, frameLength, available);
        }

        @Override
        public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
            return receiver(type).frame(type, in, index, frameLength);
        }

        @Override
        public void forward(ByteBuf run) {
            FrameHandler receiver = relay;
            if (receiver == null) {
                run.release();
            } else {
                receiver.forward(run);
            }
        }

        @Override
        public void malformed(byte type, int length) {
            receiver(type).malformed(type, length);
        }
    }
}
