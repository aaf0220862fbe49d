package dev.tenantry.embedded;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The programs of one PostgreSQL installation.
 *
 * @param bin the folder with {@code postgres} and {@code initdb}
 * @param majorVersion 15 to 18
 */
public record PostgresBinaries(Path bin, int majorVersion) {

    private static final int OLDEST = 15;
    private static final int NEWEST = 18;
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (\\d+)");

    /** The programs in a folder; asks {@code postgres} for its version. */
    public static PostgresBinaries in(Path bin) {
        for (String program : List.of("postgres", "initdb")) {
            if (!Files.isExecutable(bin.resolve(program))) {
                throw new EmbeddedException("no program " + program + " in " + bin.toAbsolutePath());
            }
        }
        Command asked = Command.run(List.of(bin.resolve("postgres").toString(), "--version"), Duration.ofSeconds(30));
        Matcher version = VERSION.matcher(asked.output());
        if (!asked.succeeded() || !version.find()) {
            throw new EmbeddedException(bin.resolve("postgres") + " does not run here: " + asked.output());
        }
        int major = Integer.parseInt(version.group(1));
        if (major < OLDEST || major > NEWEST) {
            throw new EmbeddedException("PostgreSQL " + major + " in " + bin + " is not supported; 15 to 18 are");
        }
        return new PostgresBinaries(bin, major);
    }

    /** The programs that came with us, unpacked once into a cache folder. */
    public static PostgresBinaries bundled(Path cacheFolder) {
        return in(new BundledArchive(cacheFolder).unpacked().resolve("bin"));
    }

    /** Where {@link #bundled} unpacks to when nothing else is said: a cache folder that the servers can read. */
    public static Path defaultCacheFolder() {
        if (Launcher.detect() instanceof Launcher.AsUser) {
            return Path.of("/var/cache/tenantry");
        }
        return cacheFolder(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
    }

    /** As the XDG Base Directory Specification has it: a relative path is none. */
    static Path cacheFolder(@Nullable String xdg, String home) {
        if (xdg != null && Path.of(xdg).isAbsolute()) {
            return Path.of(xdg, "tenantry");
        }
        if (!Path.of(home).isAbsolute()) {
            throw new EmbeddedException("there is no home folder to unpack PostgreSQL's programs into;"
                    + " name one with XDG_CACHE_HOME, or an installation with --pg-bin");
        }
        return Path.of(home, ".cache", "tenantry");
    }

    String postgres() {
        return bin.resolve("postgres").toString();
    }

    String initdb() {
        return bin.resolve("initdb").toString();
    }
}
