package dev.tenantry.support;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Many connections to one port that say nothing, or the beginning of a start-up message. They are opened by a process
 * of their own, which needs nothing but the JDK, so that both ends do not count against one limit of open files.
 */
public final class ManyConnections implements AutoCloseable {

    private static final byte[][] BEGINNINGS = {{}, {0, 0}, {0, 0, 0, 100, 0, 3, 0, 0, 'u'}};

    private final Process process;

    private ManyConnections(Process process) {
        this.process = process;
    }

    /** Opens them; returns when all are there. */
    public static ManyConnections open(String host, int port, int count) {
        try {
            Path classes = Path.of(ManyConnections.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .getPath());
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            classes.toString(),
                            ManyConnections.class.getName(),
                            host,
                            String.valueOf(port),
                            String.valueOf(count))
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readNBytes(4), StandardCharsets.US_ASCII);
            if (!said.equals("open")) {
                throw new IllegalStateException(
                        said + new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            }
            return new ManyConnections(process);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many more connections this process, and another one, may open; a few are left for others. */
    public static int limit() {
        com.sun.management.UnixOperatingSystemMXBean system =
                (com.sun.management.UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return (int) Math.min(
                Integer.MAX_VALUE, system.getMaxFileDescriptorCount() - system.getOpenFileDescriptorCount() - 500);
    }

    /** How many files and connections this process has open. */
    public static long openFiles() {
        return ((com.sun.management.UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getOpenFileDescriptorCount();
    }

    /** Whether they are still there. */
    public boolean areOpen() {
        return process.isAlive();
    }

    /** Closes them all at once; returns when the process has ended. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** The other process: host, port, how many. */
    public static void main(String[] arguments) throws IOException {
        List<Socket> open = new ArrayList<>();
        int count = Integer.parseInt(arguments[2]);
        for (int i = 0; i < count; i++) {
            Socket socket = new Socket(arguments[0], Integer.parseInt(arguments[1]));
            open.add(socket);
            socket.getOutputStream().write(BEGINNINGS[i % BEGINNINGS.length]);
        }
        try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write("open".getBytes(StandardCharsets.US_ASCII));
        }
        System.in.read();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
