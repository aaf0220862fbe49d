package dev.tenantry.proxy.backend;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.auth.ScramSecrets;
import dev.tenantry.proxy.net.EventLoops;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.wire.SqlError;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import java.nio.channels.NotYetConnectedException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Opens connections to nodes, on the event loop of the client they are for. */
public final class BackendConnector {
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(64 * 1024, 256 * 1024);

    /** A server that takes longer to let somebody in hangs; as PgBouncer's {@code server_connect_timeout}. */
    private static final long LOGIN_TIMEOUT_MILLIS = 15_000;

    private final EventLoops loops;
    private final ScramSecrets secrets;
    private final TlsContexts tls;
    private final BackendCount count;
    private final int connectTimeoutMillis;

    /** Told of each connection that begins and ends. */
    public interface BackendCount {
        /** One more, or one less, to this node. */
        void backends(String node, int change);
    }

    /** A connector that gives up on a node after this many ms. */
    public BackendConnector(
            EventLoops loops, ScramSecrets secrets, TlsContexts tls, BackendCount count, int connectTimeoutMillis) {
        this.loops = loops;
        this.secrets = secrets;
        this.tls = tls;
        this.count = count;
        this.connectTimeoutMillis = connectTimeoutMillis;
    }

    /** After how many ms without an answer a node is given up on. */
    public int connectTimeoutMillis() {
        return connectTimeoutMillis;
    }

    /**
     * Opens a connection and signs in.
     *
     * @param parameters the start-up parameters, the client's own
     * @param credentials what signs in: the client's keys
     * @return completes on the loop; with {@link BackendRefused} when the node can't be reached or says no. Who
     *     completes it exceptionally, on the loop, gives up on the connection
     */
    public CompletableFuture<BackendConnection> open(
            Node node, EventLoop loop, Map<String, String> parameters, ScramClient.Credentials credentials) {
        CompletableFuture<BackendConnection> opened = new CompletableFuture<>();
        Optional<TlsRequest> request = tlsRequest(node);
        ChannelFuture connecting = bootstrap(loop)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        BackendConnection backend = new BackendConnection(node, channel);
                        BackendLogin login = new BackendLogin(backend, opened);
                        backend.startLogin(login);
                        request.ifPresent(first -> channel.pipeline().addLast("tls-request", first));
                        channel.pipeline().addLast("backend", backend);
                        CompletableFuture<Optional<byte[]>> ready = request.map(TlsRequest::outcome)
                                .orElseGet(() -> CompletableFuture.completedFuture(Optional.empty()));
                        login.beginWhen(ready, endPoint -> scram(parameters, credentials, endPoint), parameters);
                    }
                })
                .connect(node.host(), node.port());
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                endIfSilent(connecting.channel(), node, opened);
                count.backends(node.name(), 1);
                connecting.channel().closeFuture().addListener(closed -> count.backends(node.name(), -1));
            } else {
                opened.completeExceptionally(new BackendRefused(node, unreachable(node, done.cause())));
            }
        });
        opened.whenComplete((backend, problem) -> {
            if (problem != null) {
                connecting.channel().close();
            }
        });
        return opened;
    }

    /**
     * Asks a node to cancel what a backend of it runs, with TLS if that connection has it, as libpq does; completes
     * when the node has closed the connection of the request.
     */
    public CompletableFuture<Void> cancel(BackendConnection backend) {
        Node node = backend.node();
        Optional<TlsRequest> request = backend.isEncrypted() ? tlsRequest(node) : Optional.empty();
        CancelRequest cancel = new CancelRequest(backend, request);
        ChannelFuture connecting =
                bootstrap(backend.channel().eventLoop()).handler(cancel).connect(node.host(), node.port());
        connecting.addListener(result -> {
            if (result.isSuccess()) {
                cancel.endAfter(connecting.channel(), connectTimeoutMillis);
            } else {
                cancel.done().complete(null);
            }
        });
        return cancel.done();
    }

    private Optional<TlsRequest> tlsRequest(Node node) {
        return tls.forNodes()
                .map(context ->
                        new TlsRequest(node, context, tls.settings().nodeMode().insists()));
    }

    /** A node that accepts and then says nothing must not keep a session waiting. */
    private void endIfSilent(Channel channel, Node node, CompletableFuture<BackendConnection> opened) {
        ScheduledFuture<?> deadline = channel.eventLoop()
                .schedule(
                        () -> {
                            SqlError silent =
                                    unreachable(node, new IllegalStateException("it did not let us in in time"));
                            opened.completeExceptionally(new BackendRefused(node, silent));
                        },
                        LOGIN_TIMEOUT_MILLIS,
                        TimeUnit.MILLISECONDS);
        opened.whenComplete((backend, problem) -> deadline.cancel(false));
    }

    private ScramClient scram(
            Map<String, String> parameters, ScramClient.Credentials credentials, Optional<byte[]> endPoint) {
        return new ScramClient(parameters.getOrDefault("user", ""), credentials, secrets, endPoint);
    }

    private Bootstrap bootstrap(EventLoop loop) {
        return new Bootstrap()
                .group(loop)
                .channel(loops.channel())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectTimeoutMillis)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK);
    }

    static SqlError unreachable(Node node, Throwable cause) {
        return SqlError.error("08006", "could not connect to node \"" + node.name() + "\"")
                .withDetail("The node at " + node.address() + " did not answer: " + why(cause) + ".")
                .withHint("Schemas on other nodes are not affected. Try again when the node is back.");
    }

    /**
     * Whether netty's epoll has read from a socket that is still connecting (netty/netty#10411), which says nothing of
     * how that ends: its future does.
     */
    static boolean isReadTooSoon(Throwable cause) {
        return cause instanceof NotYetConnectedException;
    }

    private static String why(Throwable cause) {
        return Objects.requireNonNullElseGet(cause.getMessage(), cause.getClass()::getSimpleName);
    }
}
