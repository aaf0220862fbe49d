package dev.tenantry.proxy.server;

import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.ProtocolViolation;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.StartupPacket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client's socket: start-up packets, TLS, then sign-in, then the session. Lives on one event loop.
 *
 * <pre>
 * STARTUP --StartupMessage--> SIGN_IN --accepted, backend open--> SESSION
 *    | CancelRequest, violation, deadline                            |
 *    +-------------------------> CLOSED <----------------------------+
 * </pre>
 */
final class ClientConnection extends ChannelInboundHandlerAdapter {
    private static final byte TLS_HANDSHAKE = 0x16;
    private static final int BUFFERED_MAX = StartupPacket.BODY_LENGTH_MAX + 4;
    private static final SqlError STOPPING = SqlError.fatal("57P03", "the database system is shutting down");

    private final ProxyCore core;
    private volatile @Nullable ChannelHandlerContext context;
    private @Nullable ByteBuf buffered;
    private @Nullable ClientSignIn signIn;
    private @Nullable ClientSession session;
    private SessionPortrait.@Nullable Identity identity;
    private @Nullable ScheduledFuture<?> deadline;
    private TlsContexts.@Nullable ClientTls encryption;
    private boolean sslAsked;
    private boolean gssAsked;
    private boolean started;
    private boolean closing;

    ClientConnection(ProxyCore core) {
        this.core = core;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        this.context = context;
        if (core.connections().size() >= core.limits().connectionsMax()) {
            refuse(context, SqlError.fatal("53300", "sorry, too many clients already"));
            return;
        }
        deadline = context.executor()
                .schedule(
                        () -> refuse(context, SqlError.fatal("57014", "canceling authentication due to timeout")),
                        core.limits().authenticationTimeoutMillis(),
                        TimeUnit.MILLISECONDS);
        core.connected(this);
        if (core.isStopping()) {
            refuse(context, STOPPING);
        }
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf in)) {
            ReferenceCountUtil.release(message);
            return;
        }
        ClientSession running = session;
        if (running != null) {
            running.feed(in);
        } else if (closing) {
            in.release();
        } else {
            startup(context, in);
        }
    }

    private void startup(ChannelHandlerContext context, ByteBuf in) {
        ByteBuf all = buffered == null
                ? in
                : context.alloc().buffer().writeBytes(buffered).writeBytes(in);
        if (buffered != null) {
            buffered.release();
            in.release();
        }
        buffered = all;
        try {
            while (buffered != null && !closing && session == null && step(context, all)) {
                // step consumes
            }
        } catch (ProtocolViolation violation) {
            refuse(
                    context,
                    new SqlError(
                            SqlError.Severity.FATAL,
                            violation.sqlState(),
                            violation.message(),
                            violation.detail().orElse(null),
                            violation.hint().orElse(null)));
        }
        if (buffered != null && (!buffered.isReadable() || closing)) {
            buffered.release();
            buffered = null;
        } else if (buffered != null && buffered.readableBytes() > BUFFERED_MAX) {
            refuse(context, SqlError.fatal("08P01", "too much data before authentication"));
        }
    }

    /** Deals with one packet; false when more bytes are needed. */
    private boolean step(ChannelHandlerContext context, ByteBuf in) {
        if (signIn != null) {
            return signIn.onBytes(in);
        }
        if (!started && encryption == null && in.isReadable() && in.getByte(in.readerIndex()) == TLS_HANDSHAKE) {
            directTls(context);
            return false;
        }
        if (in.readableBytes() < Integer.BYTES) {
            return false;
        }
        int bodyLength = StartupPacket.bodyLength(in.getInt(in.readerIndex()));
        if (in.readableBytes() < Integer.BYTES + bodyLength) {
            return false;
        }
        started = true;
        in.skipBytes(Integer.BYTES);
        return onPacket(context, StartupPacket.parse(in.readSlice(bodyLength)), in);
    }

    private boolean onPacket(ChannelHandlerContext context, StartupPacket packet, ByteBuf rest) {
        switch (packet) {
            case StartupPacket.SslRequest ssl -> sslRequest(context, rest);
            case StartupPacket.GssEncRequest gss -> {
                if (gssAsked || sslAsked && encryption != null) {
                    throw StartupPacket.unsupportedProtocol(StartupPacket.GSS_ENC_REQUEST_CODE);
                }
                gssAsked = true;
                decline(context);
                requireAnswered(rest, "GSSAPI encryption");
            }
            case StartupPacket.CancelRequest cancel -> {
                closing = true;
                // Closed when the node has been told, so that a client that waits for it can't hit its next query.
                core.cancels()
                        .request(cancel.processId(), cancel.secretKey())
                        .whenComplete((done, problem) -> context.close());
            }
            case StartupPacket.Startup startup -> {
                if (encryption == null && core.insistsOnTls()) {
                    throw ProtocolViolation.of("28000", "this server accepts encrypted connections only")
                            .withHint("Connect with sslmode=require or stronger.");
                }
                signIn = new ClientSignIn(core, context, startup, serverEndPoint(), this);
                signIn.begin();
            }
        }
        return !closing;
    }

    private void sslRequest(ChannelHandlerContext context, ByteBuf rest) {
        if (sslAsked) {
            throw StartupPacket.unsupportedProtocol(StartupPacket.SSL_REQUEST_CODE);
        }
        sslAsked = true;
        Optional<TlsContexts.ClientTls> tls =
                encryption == null ? core.tls().forClients() : Optional.empty(); // it is encrypted already
        if (tls.isEmpty()) {
            decline(context);
        }
        requireAnswered(rest, "SSL");
        if (tls.isEmpty()) {
            return;
        }
        context.writeAndFlush(context.alloc().buffer(1).writeByte('S'));
        encryption = tls.get();
        context.pipeline().addFirst("tls", tls.get().newHandler(context.alloc()));
    }

    private static void decline(ChannelHandlerContext context) {
        context.writeAndFlush(context.alloc().buffer(1).writeByte('N'));
    }

    /** What a client says behind such a request before it has heard the answer, somebody else may have said. */
    private static void requireAnswered(ByteBuf rest, String asked) {
        if (rest.isReadable()) {
            throw ProtocolViolation.of("received unencrypted data after " + asked + " request")
                    .withDetail("This could be either a client-software bug or evidence of an attempted"
                            + " man-in-the-middle attack.");
        }
    }

    /** A client that begins with TLS at once, since PostgreSQL 17 ({@code sslnegotiation=direct}). */
    private void directTls(ChannelHandlerContext context) {
        Optional<TlsContexts.ClientTls> tls = core.tls().forClients();
        ByteBuf hello = buffered;
        buffered = null;
        if (tls.isEmpty() || hello == null) {
            if (hello != null) {
                hello.release();
            }
            closing = true;
            context.close();
            return;
        }
        encryption = tls.get();
        SslHandler handler = tls.get().newHandler(context.alloc());
        context.pipeline().addFirst("tls", handler);
        handler.handshakeFuture().addListener(done -> {
            if (done.isSuccess() && !TlsContexts.ClientTls.hasNamedProtocol(handler)) {
                closing = true;
                context.close();
            }
        });
        context.pipeline().fireChannelRead(hello);
    }

    /** Of the certificate that this client was shown; a newer one may be in use by now. */
    private Optional<byte[]> serverEndPoint() {
        return Optional.ofNullable(encryption).flatMap(TlsContexts.ClientTls::serverEndPoint);
    }

    /** The client is in; what it has sent behind its sign-in comes next. */
    void begin(ClientSession newSession, SessionPortrait.Identity newIdentity) {
        session = newSession;
        identity = newIdentity;
        if (deadline != null) {
            deadline.cancel(false);
        }
        core.metrics().sessionOpened();
        ByteBuf rest = buffered;
        buffered = null;
        if (rest != null) {
            newSession.feed(rest);
        }
    }

    /** The client is not let in. */
    void refuse(ChannelHandlerContext context, SqlError error) {
        if (closing || session != null) {
            return;
        }
        closing = true;
        core.metrics().error(error.sqlState());
        ByteBuf out = context.alloc().buffer(256);
        BackendMessages.error(out, error);
        context.writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
    }

    /** The proxy stops: a session takes this step to its end; without one, the client is refused. Any thread. */
    void leave(Consumer<Departure> step) {
        ChannelHandlerContext at = context;
        if (at != null) {
            at.executor().execute(() -> {
                ClientSession running = session;
                if (running == null) {
                    refuse(at, STOPPING);
                } else {
                    step.accept(running.departure());
                }
            });
        }
    }

    /** The loop that it lives on, once it is connected. */
    Optional<EventLoop> loop() {
        return Optional.ofNullable(context).map(at -> at.channel().eventLoop());
    }

    /** Those that are connected, by the loop that they live on; from any thread. */
    static Map<EventLoop, List<ClientConnection>> byLoop(Iterable<ClientConnection> connections) {
        Map<EventLoop, List<ClientConnection>> byLoop = new HashMap<>();
        for (ClientConnection connection : connections) {
            connection
                    .loop()
                    .ifPresent(loop -> byLoop.computeIfAbsent(loop, first -> new ArrayList<>())
                            .add(connection));
        }
        return byLoop;
    }

    /** Who its session is; on its loop, once there is one. */
    SessionPortrait.Identity identity() {
        return Objects.requireNonNull(identity);
    }

    /** The session, once there is one. */
    @Nullable
    ClientSession session() {
        return session;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        ClientSession running = session;
        if (running != null) {
            running.clientWritabilityChanged();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        closing = true;
        if (deadline != null) {
            deadline.cancel(false);
        }
        if (buffered != null) {
            buffered.release();
            buffered = null;
        }
        if (signIn != null) {
            signIn.abandon();
        }
        ClientSession running = session;
        if (running == null) {
            core.disconnected(this);
        } else {
            core.metrics().sessionClosed();
            running.clientGone()
                    .thenRun(() -> core.disconnected(this)); // a commit is waited for by who drains or pauses
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        core.failed(cause);
        ClientSession running = session;
        if (running != null && !(cause instanceof java.io.IOException)) {
            running.end(SqlError.fatal("XX000", "internal error"));
        } else {
            context.close();
        }
    }
}
