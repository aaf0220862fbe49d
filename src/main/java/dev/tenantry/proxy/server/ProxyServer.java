package dev.tenantry.proxy.server;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.activity.ForeignCancels;
import dev.tenantry.activity.LockWaiters;
import dev.tenantry.activity.LostCommits;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.PauseProgress;
import dev.tenantry.commit.GlobalTransactionIds;
import dev.tenantry.proxy.auth.ScramSecrets;
import dev.tenantry.proxy.backend.BackendConnector;
import dev.tenantry.proxy.cluster.ClusterServices;
import dev.tenantry.proxy.cluster.DistributedEnd;
import dev.tenantry.proxy.cluster.LostCommitDesk;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.net.EventLoops;
import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.pool.BackendPools;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The proxy: accepts clients and gives each a session. Start it once, close it once; safe from any thread.
 */
public final class ProxyServer implements AutoCloseable {
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(64 * 1024, 256 * 1024);

    private final String proxyId;
    private final EventLoops loops;
    private final ExecutorService workers;
    private final ProxyCore core;
    private final Channel channel;
    private final TlsReload tlsReload;
    private final Runnable catalogChanged;
    private final AtomicBoolean closed = new AtomicBoolean();

    private ProxyServer(String proxyId, EventLoops loops, ExecutorService workers, ProxyCore core, Channel channel) {
        this.proxyId = proxyId;
        this.loops = loops;
        this.workers = workers;
        this.core = core;
        this.channel = channel;
        this.tlsReload = TlsReload.start(core.tls());
        this.catalogChanged = core.pauses()::changed;
        core.feed().onChange(catalogChanged);
    }

    /**
     * Starts to accept clients.
     *
     * @param address where; port 0 takes a free one
     * @param observer told of each step of a commit over several nodes
     * @throws IOException when the address can't be listened on
     */
    public static ProxyServer start(
            InetSocketAddress address,
            CatalogFeed feed,
            TlsContexts tls,
            ProxyLimits limits,
            ProxyMetrics metrics,
            DistributedEnd.Observer observer)
            throws IOException {
        EventLoops loops = new EventLoops(limits.eventLoops());
        ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
        ScramSecrets secrets = ScramSecrets.random();
        String proxyId = UUID.randomUUID().toString().replace("-", "").substring(0, 12);
        ProxyCore core = new ProxyCore(
                limits,
                new ClusterServices(feed, workers, new GlobalTransactionIds(proxyId), observer, new LostCommitDesk()),
                new BackendPools(
                        new BackendConnector(loops, secrets, tls, metrics, limits.connectTimeoutMillis()),
                        limits.pool(),
                        feed.traceless(),
                        metrics),
                secrets,
                tls,
                metrics);
        ChannelFuture bound = new ServerBootstrap()
                .group(loops.group())
                .channel(loops.serverChannel())
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel client) {
                        client.pipeline().addLast("client", new ClientConnection(core));
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            loops.close();
            workers.shutdownNow();
            throw new IOException(
                    "can't listen on " + address + ": " + bound.cause().getMessage(), bound.cause());
        }
        return new ProxyServer(proxyId, loops, workers, core, bound.channel());
    }

    /** How far its sessions are with what is paused. */
    public PauseProgress pauseProgress() {
        return new PauseRounds(proxyId, core.connections());
    }

    /** Tells what it is doing. */
    public ActivityReader activity() {
        return core.activity();
    }

    /** Its sessions that may wait for locks on several nodes. */
    public LockWaiters lockWaiters() {
        return new ProxyLockWaiters(core.connections());
    }

    /** Cancel requests that come to it and are for other proxies, and the other way round. */
    public ForeignCancels foreignCancels() {
        return core.cancels();
    }

    /** Transactions over several nodes that it can't end. */
    public LostCommits lostCommits() {
        return core.services().lost();
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /**
     * Stops to listen, so that a load balancer finds the port closed and tries another proxy, and ends all sessions:
     * idle ones at once, others with their transaction; blocks.
     *
     * @param grace how long transactions may go on
     */
    public void drain(Duration grace) {
        core.stop();
        channel.close().awaitUninterruptibly();
        new Drain(core.connections()).run(grace);
    }

    /** Cuts whatever is left; the second time it does nothing. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        tlsReload.close();
        core.feed().forget(catalogChanged);
        core.stop();
        channel.close().awaitUninterruptibly();
        core.connections().forEach(connection -> connection.leave(Departure::end));
        core.pools().close();
        loops.close();
        workers.shutdownNow();
    }
}
