package dev.tenantry.proxy.net;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * The threads of the data path: event loops, on epoll where there is epoll. A client's connection and the backends it
 * uses live on the same loop.
 */
public final class EventLoops implements AutoCloseable {
    private static final long QUIET_MILLIS = 0;
    private static final long TIMEOUT_MILLIS = 2_000;

    private final EventLoopGroup group;
    private final Class<? extends ServerChannel> serverChannel;
    private final Class<? extends Channel> channel;

    /** Starts the threads when they are first used; {@code count} is at least 1. */
    public EventLoops(int count) {
        DefaultThreadFactory threads = new DefaultThreadFactory("tenantry-loop", true);
        if (Epoll.isAvailable()) {
            group = new EpollEventLoopGroup(count, threads);
            serverChannel = EpollServerSocketChannel.class;
            channel = EpollSocketChannel.class;
        } else {
            group = new NioEventLoopGroup(count, threads);
            serverChannel = NioServerSocketChannel.class;
            channel = NioSocketChannel.class;
        }
    }

    /** The loops. */
    public EventLoopGroup group() {
        return group;
    }

    /** The kind of socket that accepts. */
    public Class<? extends ServerChannel> serverChannel() {
        return serverChannel;
    }

    /** The kind of socket that connects. */
    public Class<? extends Channel> channel() {
        return channel;
    }

    /** Ends the threads; connections still open are cut. */
    @Override
    public void close() {
        group.shutdownGracefully(QUIET_MILLIS, TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(2 * TIMEOUT_MILLIS);
    }
}
