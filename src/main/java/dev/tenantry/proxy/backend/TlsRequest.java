package dev.tenantry.proxy.backend;

import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Asks a node for TLS before the start-up message ("SSL Session Encryption" of the PostgreSQL manual), then makes way.
 * Lives on the backend's event loop.
 */
final class TlsRequest extends ChannelInboundHandlerAdapter {
    private final Node node;
    private final TlsContexts.NodeTls tls;
    private final boolean insists;
    private final CompletableFuture<Optional<byte[]>> outcome = new CompletableFuture<>();

    TlsRequest(Node node, TlsContexts.NodeTls tls, boolean insists) {
        this.node = node;
        this.tls = tls;
        this.insists = insists;
    }

    /** Completes when the start-up message may be sent, with the hash of the node's certificate if there is one. */
    CompletableFuture<Optional<byte[]>> outcome() {
        return outcome;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ByteBuf out = context.alloc().buffer(8);
        FrontendMessages.sslRequest(out);
        context.writeAndFlush(out);
        context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            byte answer = in.readByte();
            if (in.isReadable()) {
                fail(context, "it sent unencrypted data behind its answer to the TLS request");
            } else if (answer == 'S') {
                encrypt(context);
            } else if (insists) {
                fail(context, "it has no TLS, which tenantry.proxy.tls.node-mode asks for");
            } else {
                context.pipeline().remove(this);
                outcome.complete(Optional.empty());
            }
        } finally {
            in.release();
        }
    }

    private void encrypt(ChannelHandlerContext context) {
        SslHandler handler = tls.newHandler(context.alloc(), node.host(), node.port());
        context.pipeline().replace(this, "tls", handler);
        handler.handshakeFuture().addListener(done -> {
            if (done.isSuccess()) {
                outcome.complete(TlsContexts.NodeTls.serverEndPoint(handler));
            } else {
                outcome.completeExceptionally(done.cause());
            }
        });
    }

    private void fail(ChannelHandlerContext context, String why) {
        outcome.completeExceptionally(new IOException(why));
        context.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        outcome.completeExceptionally(new IOException("it closed the connection"));
        context.fireChannelInactive();
    }
}
