package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The process of this machine that listens at a port, by what the kernel says (proc(5)): {@code /proc/net/tcp} has the
 * inode of each listening socket, and a process the sockets that it has open.
 */
final class ListeningProcess {
    private static final List<Path> TABLES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    private static final String LISTEN = "0A";
    private static final int STATE = 3;
    private static final int INODE = 9;

    private ListeningProcess() {}

    /** The one that runs this program and listens there; none if nobody does, or it is not to be seen by us. */
    static Optional<ProcessHandle> at(ServerAddress address, String program) throws IOException {
        Set<String> sockets = sockets(address.port());
        return sockets.isEmpty()
                ? Optional.empty()
                : ProcessHandle.allProcesses()
                        .filter(process -> runs(process, program) && hasOneOf(process, sockets))
                        .findFirst();
    }

    /** As {@code /proc/PID/fd} names them. */
    private static Set<String> sockets(int port) throws IOException {
        String end = String.format(":%04X", port);
        Set<String> found = new HashSet<>();
        for (Path table : TABLES) {
            if (Files.exists(table)) {
                for (String line : Files.readAllLines(table)) {
                    List<String> columns = List.of(line.strip().split("\\s+", -1));
                    if (columns.get(1).endsWith(end) && columns.get(STATE).equals(LISTEN)) {
                        found.add("socket:[" + columns.get(INODE) + "]");
                    }
                }
            }
        }
        return found;
    }

    private static boolean runs(ProcessHandle process, String program) {
        return link(folder(process).resolve("exe"))
                .map(file -> file.substring(file.lastIndexOf('/') + 1))
                .filter(program::equals)
                .isPresent();
    }

    private static boolean hasOneOf(ProcessHandle process, Set<String> sockets) {
        try (Stream<Path> files = Files.list(folder(process).resolve("fd"))) {
            return files.anyMatch(file -> link(file).filter(sockets::contains).isPresent());
        } catch (IOException hidden) {
            return false; // another user's, or gone
        }
    }

    private static Path folder(ProcessHandle process) {
        return Path.of("/proc", Long.toString(process.pid()));
    }

    private static Optional<String> link(Path path) {
        try {
            return Optional.of(Files.readSymbolicLink(path).toString());
        } catch (IOException gone) {
            return Optional.empty();
        }
    }
}
