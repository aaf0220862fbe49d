package dev.tenantry.support;

import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A proxy of a cluster, with a control plane, as a process of its own that can be killed in the middle of a commit:
 * {@link #hold}, {@link #awaitHeld}, then {@link #kill} or {@link #go}. Used by one thread.
 */
public final class ProxyProcess implements AutoCloseable {
    private static final long ANSWER_SECONDS = 60;

    private final Process process;
    private final Path errors;
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private int port;

    private ProxyProcess(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        Thread.ofVirtual().start(this::listen);
    }

    /** Starts one before these servers, the coordinator first, and waits until it takes clients. */
    public static ProxyProcess start(List<PostgresNode> nodes) throws InterruptedException {
        String java = ProcessHandle.current().info().command().orElseThrow();
        List<String> words = new ArrayList<>(List.of(java, "-XX:+UseSerialGC", "-Xmx256m", "-XX:TieredStopAtLevel=1"));
        words.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"));
        words.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
        words.addAll(List.of("-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-cp"));
        words.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        words.addAll(List.of(HeldProxy.class.getName(), nodes.getFirst().url()));
        nodes.subList(1, nodes.size()).forEach(node -> words.add(node.host() + ":" + node.port()));
        try {
            Path errors = Files.createTempFile("tenantry-proxy-", ".log");
            ProxyProcess proxy = new ProxyProcess(
                    new ProcessBuilder(words).redirectError(errors.toFile()).start(), errors);
            proxy.port = Integer.parseInt(proxy.hear(HeldProxy.READY).substring(HeldProxy.READY.length()));
            return proxy;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Where it takes clients, on loopback. */
    public int port() {
        return port;
    }

    /** The next commit over several nodes that comes to that point stays there. */
    public void hold(Point point) {
        say(HeldProxy.HOLD + point);
    }

    /** Waits until one does. */
    public void awaitHeld() throws InterruptedException {
        hear(HeldProxy.HELD);
    }

    /** It goes on. */
    public void go() {
        say(HeldProxy.GO);
    }

    /** Sends SIGKILL and waits for the end. */
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    private void listen() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines().forEach(said::add);
        } catch (IOException | UncheckedIOException closed) {
            said.add(closed.toString());
        }
    }

    private String hear(String begin) throws InterruptedException {
        String line = said.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
        if (line == null || !line.startsWith(begin)) {
            throw new IllegalStateException("no '" + begin + "' but '" + line + "', and on standard error: " + log());
        }
        return line;
    }

    private void say(String line) {
        try {
            process.outputWriter().write(line + "\n");
            process.outputWriter().flush();
        } catch (IOException gone) {
            throw new UncheckedIOException(log(), gone);
        }
    }

    private String log() {
        try {
            return Files.readString(errors);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Override
    public void close() {
        kill();
        try {
            Files.deleteIfExists(errors);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
