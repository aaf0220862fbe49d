package dev.tenantry.embedded;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jboss.logging.Logger;

/**
 * The archive of PostgreSQL's programs on the class path, unpacked once per content: the folder's name is the archive's
 * checksum, and it gets that name by one rename when all of it is there. So several processes may do it at once.
 */
final class BundledArchive {

    private static final Logger LOG = Logger.getLogger(BundledArchive.class);
    private static final String REMEDY = " (XDG_CACHE_HOME says where else they may be kept)";
    private static final int OWNER_EXECUTES = 0100;

    private final Path cacheFolder;

    BundledArchive(Path cacheFolder) {
        this.cacheFolder = cacheFolder;
    }

    /** The folder that holds {@code bin}, {@code lib} and {@code share}. */
    Path unpacked() {
        String archive = "/" + archiveName();
        try {
            Path target = cacheFolder.resolve("postgres-" + checksum(archive));
            if (!Files.isDirectory(target)) {
                LOG.infof("unpacking PostgreSQL folder=%s", target);
                unpack(archive, target);
            }
            return target;
        } catch (IOException failed) {
            throw new EmbeddedException(
                    "can't unpack PostgreSQL's programs into " + cacheFolder + ": " + FileTrouble.words(failed)
                            + REMEDY,
                    failed);
        }
    }

    private static String archiveName() {
        String machine = System.getProperty("os.arch");
        String name = switch (machine) {
            case "amd64", "x86_64" -> "postgres-linux-x86_64.txz";
            case "aarch64", "arm64" -> "postgres-linux-arm_64.txz";
            default -> "";
        };
        if (name.isEmpty() || BundledArchive.class.getResource("/" + name) == null) {
            throw new EmbeddedException("no PostgreSQL programs for " + System.getProperty("os.name") + " on " + machine
                    + " came with this build; give an installation of PostgreSQL 15 to 18 with --pg-bin");
        }
        return name;
    }

    private static String checksum(String archive) throws IOException {
        try (InputStream in = open(archive)) {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            new DigestInputStream(in, sha256).transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(sha256.digest(), 0, 8);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static InputStream open(String archive) throws IOException {
        InputStream in = BundledArchive.class.getResourceAsStream(archive);
        if (in == null) {
            throw new IOException("resource " + archive + " is gone");
        }
        return in;
    }

    private void unpack(String archive, Path target) throws IOException {
        Files.createDirectories(cacheFolder);
        Path building = Files.createTempDirectory(cacheFolder, ".unpacking-");
        try {
            try (TarArchiveInputStream tar = new TarArchiveInputStream(
                    new XZCompressorInputStream(new BufferedInputStream(open(archive), 1 << 16)))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    write(tar, entry, building);
                }
            }
            Files.setPosixFilePermissions(building, permissions(true));
            Files.move(building, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException sameFolder) {
            throw new IllegalStateException("a rename inside one folder is atomic", sameFolder);
        } catch (FileSystemException anotherWasFaster) {
            if (!Files.isDirectory(target)) {
                throw anotherWasFaster;
            }
        } finally {
            deleteTree(building);
        }
    }

    private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path folder) throws IOException {
        Path path = folder.resolve(entry.getName()).normalize();
        if (!path.startsWith(folder)) {
            throw new IOException("archive entry " + entry.getName() + " leaves its folder");
        }
        if (entry.isDirectory()) {
            Files.createDirectories(path);
        } else if (entry.isSymbolicLink()) {
            Files.createDirectories(path.getParent());
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
        } else if (entry.isFile()) {
            Files.createDirectories(path.getParent());
            Files.copy(tar, path);
            Files.setPosixFilePermissions(path, permissions((entry.getMode() & OWNER_EXECUTES) != 0));
        }
    }

    /** Readable by all, as the servers may run as another user than the one who unpacked them. */
    private static Set<PosixFilePermission> permissions(boolean executable) {
        Set<PosixFilePermission> permissions = EnumSet.of(
                PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE,
                PosixFilePermission.GROUP_READ,
                PosixFilePermission.OTHERS_READ);
        if (executable) {
            permissions.add(PosixFilePermission.OWNER_EXECUTE);
            permissions.add(PosixFilePermission.GROUP_EXECUTE);
            permissions.add(PosixFilePermission.OTHERS_EXECUTE);
        }
        return permissions;
    }

    static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
