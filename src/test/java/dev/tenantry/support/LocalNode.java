package dev.tenantry.support;

import dev.tenantry.embedded.Durability;
import dev.tenantry.embedded.PostgresBinaries;
import dev.tenantry.embedded.PostgresServer;
import dev.tenantry.embedded.ServerSettings;
import dev.tenantry.embedded.Superuser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** A node that is a process of this machine. */
final class LocalNode implements PostgresNode {

    private final String name;
    private final Path folder;
    private final PostgresServer server;
    private final Thread atExit;

    private LocalNode(String name, Path folder, PostgresServer server) {
        this.name = name;
        this.folder = folder;
        this.server = server;
        this.atExit = new Thread(this::remove, "stop-" + name);
    }

    static LocalNode start(String name) {
        return start(name, binaries());
    }

    static LocalNode start(String name, PostgresBinaries binaries) {
        try {
            Path folder = Files.createTempDirectory("tenantry-node-");
            ServerSettings settings = new ServerSettings(
                    name,
                    folder.resolve(name),
                    folder.resolve(name + ".log"),
                    binaries,
                    Superuser.DEFAULT,
                    VERIFIER,
                    Durability.THROWAWAY);
            LocalNode node = new LocalNode(name, folder, new PostgresServer(settings));
            Runtime.getRuntime().addShutdownHook(node.atExit);
            node.server.start(OptionalInt.empty());
            return node;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** The programs that this test run was told to use. */
    static PostgresBinaries binaries() {
        return Optional.ofNullable(System.getProperty("pg.bin"))
                .or(() -> Optional.ofNullable(System.getenv("PG_BIN")))
                .filter(bin -> !bin.isBlank())
                .map(bin -> PostgresBinaries.in(Path.of(bin)))
                .orElseGet(() -> PostgresBinaries.bundled(PostgresBinaries.defaultCacheFolder()));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String host() {
        return server.host();
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void kill() {
        Optional<CompletableFuture<ProcessHandle>> ended = server.postmaster().map(ProcessHandle::onExit);
        server.kill();
        ended.ifPresent(CompletableFuture::join);
    }

    @Override
    public void restart() {
        server.close();
        server.start(OptionalInt.of(server.port()));
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        remove();
    }

    private void remove() {
        server.close();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException left) {
            throw new UncheckedIOException(left);
        }
    }
}
