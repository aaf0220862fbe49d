package dev.tenantry.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a server writes about itself into {@code postmaster.pid} of its data folder; the lines are those of PostgreSQL's
 * {@code pidfile.h}: process, folder, start, port, socket folder, address, shared memory, state.
 *
 * @param pid the postmaster's process
 * @param ready whether it takes connections
 */
record PostmasterFile(long pid, boolean ready) {

    /** What it is called. */
    static final String NAME = "postmaster.pid";

    private static final int LINE_PID = 0;
    private static final int LINE_STATE = 7;

    /** As pg_ctl sees it; a standby says the other word. */
    private static final Set<String> TAKES_CONNECTIONS = Set.of("ready", "standby");

    /** The file's content; empty while there is none, or only a part of one. */
    static Optional<PostmasterFile> read(Path dataFolder) {
        try {
            List<String> lines = Files.readAllLines(dataFolder.resolve(NAME));
            if (lines.isEmpty()) {
                return Optional.empty();
            }
            long pid = Long.parseLong(lines.get(LINE_PID).strip());
            boolean ready = lines.size() > LINE_STATE
                    && TAKES_CONNECTIONS.contains(lines.get(LINE_STATE).strip());
            // A negative number means a stand-alone backend.
            return Optional.of(new PostmasterFile(Math.abs(pid), ready));
        } catch (IOException | NumberFormatException notThere) {
            return Optional.empty();
        }
    }
}
