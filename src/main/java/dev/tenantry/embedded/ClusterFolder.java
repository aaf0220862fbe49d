package dev.tenantry.embedded;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The folder that keeps an embedded cluster between runs: a folder per server, their logs, and a small file with the
 * ports. One process owns it at a time, by a lock that the kernel takes back when the process dies. Thread-safe.
 */
final class ClusterFolder implements AutoCloseable {

    static final String COORDINATOR = "coordinator";

    private static final String STATE_FILE = "cluster.properties";
    private static final String LOCK_FILE = "lock";
    private static final String VERIFIER = "superuser.verifier";
    private static final String CONTROL_PASSWORD = "control.password";
    private static final String CONTROL_VERIFIER = "control.verifier";

    private final Path folder;
    private final FileChannel lockFile;
    private final Properties state = new Properties();

    private ClusterFolder(Path folder, FileChannel lockFile) {
        this.folder = folder;
        this.lockFile = lockFile;
    }

    /** Takes the folder, made if need be, for this process. */
    static ClusterFolder open(Path path) {
        Path folder = path.toAbsolutePath().normalize();
        FileChannel channel = null;
        try {
            Files.createDirectories(folder.resolve("log"));
            channel = FileChannel.open(
                    folder.resolve(LOCK_FILE),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            lock(channel, folder);
            ClusterFolder opened = new ClusterFolder(folder, channel);
            opened.load();
            return opened;
        } catch (IOException failed) {
            closeQuietly(channel);
            throw new EmbeddedException(
                    "can't use the data folder " + folder + ": " + FileTrouble.words(failed), failed);
        } catch (EmbeddedException refused) {
            closeQuietly(channel);
            throw refused;
        }
    }

    private static void lock(FileChannel channel, Path folder) throws IOException {
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException thisProcess) {
            throw new EmbeddedException("the data folder " + folder + " is in use by this process already");
        }
        if (lock == null) {
            ByteBuffer owner = ByteBuffer.allocate(32);
            channel.read(owner, 0);
            String pid =
                    StandardCharsets.US_ASCII.decode(owner.flip()).toString().strip();
            throw new EmbeddedException("the data folder " + folder + " is in use by another tenantry"
                    + (pid.isEmpty() ? "" : " (process " + pid + ")")
                    + "; stop it, or choose another folder with --data");
        }
        channel.truncate(0);
        channel.write(StandardCharsets.US_ASCII.encode(ProcessHandle.current().pid() + "\n"), 0);
    }

    /** The coordinator, then the workers that exist already or are among the first; without those that were retired. */
    List<String> serverNames(int workers) {
        int existing = existingWorkers();
        return IntStream.rangeClosed(0, Math.max(workers, existing))
                .mapToObj(i -> i == 0 ? COORDINATOR : "worker" + i)
                .filter(name -> !isRetired(name))
                .toList();
    }

    /** The highest worker there is a data folder of. */
    int existingWorkers() {
        int number = 0;
        while (Files.isDirectory(dataFolder("worker" + (number + 1)))) {
            number++;
        }
        return number;
    }

    Path dataFolder(String server) {
        return folder.resolve(server);
    }

    Path logFile(String server) {
        return folder.resolve("log").resolve(server + ".log");
    }

    /** The port a server had when it last ran. */
    synchronized OptionalInt port(String server) {
        String port = state.getProperty(server + ".port");
        return port == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(port));
    }

    synchronized void keepPort(String server, int port) {
        keep(server + ".port", Integer.toString(port));
    }

    /** The node a server is in the catalog, once it has been one. */
    synchronized OptionalInt nodeId(String server) {
        String id = state.getProperty(server + ".node");
        return id == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(id));
    }

    synchronized void keepNodeId(String server, int nodeId) {
        keep(server + ".node", Integer.toString(nodeId));
    }

    /** Never start it again: it was removed from the cluster. */
    synchronized void retire(String server) {
        keep(server + ".retired", "true");
    }

    private synchronized boolean isRetired(String server) {
        return state.containsKey(server + ".retired");
    }

    /** The password and the verifier of the role by which the control plane signs in; made when there is none. */
    synchronized ControlRole controlRole() {
        String password = state.getProperty(CONTROL_PASSWORD);
        String verifier = state.getProperty(CONTROL_VERIFIER);
        if (password != null && verifier != null) {
            return new ControlRole(password, verifier);
        }
        ControlRole made = ControlRole.random();
        keep(CONTROL_VERIFIER, made.verifier());
        keep(CONTROL_PASSWORD, made.password());
        return made;
    }

    /** Whether a server has that role. */
    synchronized boolean hasControlRole(String server) {
        return state.containsKey(server + ".control");
    }

    synchronized void keepHasControlRole(String server) {
        keep(server + ".control", "true");
    }

    /** The superuser's verifier: kept, because a role must have the identical one on every server, also a later one. */
    synchronized @Nullable String verifier() {
        return state.getProperty(VERIFIER);
    }

    synchronized void keepVerifier(String verifier) {
        keep(VERIFIER, verifier);
    }

    private void keep(String key, String value) {
        if (value.equals(state.setProperty(key, value))) {
            return;
        }
        Path file = folder.resolve(STATE_FILE);
        Path next = folder.resolve(STATE_FILE + ".new");
        try {
            try (Writer writer = Files.newBufferedWriter(next)) {
                state.store(writer, "What tenantry keeps about this cluster's servers");
            }
            Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rw-------"));
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failed) {
            throw new EmbeddedException("can't write " + file + ": " + FileTrouble.words(failed), failed);
        }
    }

    private void load() throws IOException {
        Path file = folder.resolve(STATE_FILE);
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                state.load(reader);
            }
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException closing) {
            // Closing a file that was only locked loses nothing.
        }
    }

    @Override
    public String toString() {
        return folder.toString();
    }

    /** Gives the folder free for another process. */
    @Override
    public void close() {
        closeQuietly(lockFile);
    }
}
