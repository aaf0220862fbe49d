package dev.tenantry.proxy.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;

/** The way to the client: bytes leave in the order they are written, with one flush a batch. */
public final class ClientOutlet {
    private final Channel channel;
    private boolean dirty;

    public ClientOutlet(Channel channel) {
        this.channel = channel;
    }

    public ByteBufAllocator allocator() {
        return channel.alloc();
    }

    /** Owns the buffer. */
    public void write(ByteBuf messages) {
        dirty = true;
        channel.write(messages, channel.voidPromise());
    }

    public void flush() {
        if (dirty) {
            dirty = false;
            channel.flush();
        }
    }

    public boolean isWritable() {
        return channel.isWritable();
    }

    public void autoRead(boolean on) {
        channel.config().setAutoRead(on);
    }

    /** Ends the connection when everything written has left; the buffer, owned, is the last of it. */
    public void closeAfter(ByteBuf last) {
        channel.writeAndFlush(last).addListener(ChannelFutureListener.CLOSE);
    }

    public void close() {
        channel.close();
    }
}
