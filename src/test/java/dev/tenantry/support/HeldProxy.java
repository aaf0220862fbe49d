package dev.tenantry.support;

import dev.tenantry.Servers;
import dev.tenantry.Tenantry;
import dev.tenantry.Wiring;
import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.move.MovePoint;
import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.server.ProxyLimits;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A proxy with its control plane as a process of its own, which holds a commit at a point when it is told to. What it
 * is told and says is a line each: {@link ProxyProcess} has the other end. Ends with its input.
 */
final class HeldProxy {
    static final String READY = "ready ";
    static final String HOLD = "hold ";
    static final String HELD = "held";
    static final String GO = "go";

    private static final Duration WAIT = Duration.ofSeconds(30);

    private HeldProxy() {}

    /** The coordinator's URL, and the workers as {@code host:port}. */
    public static void main(String[] servers) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        AtomicReference<@Nullable Point> armed = new AtomicReference<>();
        Semaphore going = new Semaphore(0);
        Wiring wiring = new Wiring(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                WAIT,
                Duration.ofSeconds(1),
                ProxyLimits.forCores(1),
                ControlLimits.DEFAULT,
                TlsSettings.NONE,
                Vertx.vertx(),
                new SimpleMeterRegistry(),
                MovePoint.Observer.NONE,
                point -> {
                    if (armed.compareAndSet(point, null)) {
                        out.println(HELD);
                        going.acquireUninterruptibly();
                    }
                });
        Tenantry tenantry =
                Tenantry.start(new Servers.Existing(servers[0], List.of(servers).subList(1, servers.length)), wiring);
        out.println(READY + tenantry.address().getPort());
        obey(armed, going);
        Runtime.getRuntime().halt(0);
    }

    private static void obey(AtomicReference<@Nullable Point> armed, Semaphore going) throws IOException {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.equals(GO)) {
                    going.release();
                } else {
                    armed.set(Point.valueOf(line.substring(HOLD.length())));
                }
            }
        }
    }
}
