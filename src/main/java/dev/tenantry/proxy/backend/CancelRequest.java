package dev.tenantry.proxy.backend;

import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The connection over which a node is asked to cancel what a backend runs: TLS first if it shall be, then the request,
 * to which the node's only answer is the end ("Canceling Requests in Progress" of the PostgreSQL manual). Lives on the
 * backend's event loop.
 */
final class CancelRequest extends ChannelInitializer<Channel> {
    private final BackendConnection backend;
    private final Optional<TlsRequest> tls;
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    CancelRequest(BackendConnection backend, Optional<TlsRequest> tls) {
        this.backend = backend;
        this.tls = tls;
    }

    /** Completes when the connection has ended, or could not be made. */
    CompletableFuture<Void> done() {
        return done;
    }

    @Override
    protected void initChannel(Channel channel) {
        channel.closeFuture().addListener(closed -> done.complete(null));
        tls.ifPresent(first -> channel.pipeline().addLast("tls-request", first));
        channel.pipeline().addLast("cancel-request", new Sender());
        tls.ifPresent(first -> first.outcome().whenComplete((encrypted, problem) -> {
            if (problem == null) {
                send(channel);
            } else {
                channel.close();
            }
        }));
    }

    /**
     * A node that hangs must not hold up the session for longer than one that is gone. It may still cancel something,
     * later, which must not be another session's.
     */
    void endAfter(Channel channel, int millis) {
        Runnable giveUp = () -> {
            backend.spoil();
            channel.close();
        };
        ScheduledFuture<?> end = channel.eventLoop().schedule(giveUp, millis, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> end.cancel(false));
    }

    private void send(Channel channel) {
        ByteBuf out = channel.alloc().buffer(32);
        FrontendMessages.cancelRequest(out, backend.processId(), backend.secretKey());
        channel.writeAndFlush(out);
    }

    private final class Sender extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext context) {
            if (tls.isEmpty()) {
                send(context.channel());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (BackendConnector.isReadTooSoon(cause)) {
                return;
            }
            context.close(); // a cancel that can't be sent is one that came too late
        }
    }
}
