package dev.tenantry.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * How a server program is started so that it does not find itself run by root, which PostgreSQL refuses ("Creating a
 * Database Cluster" in its manual), and so that a Ctrl-C meant for us does not reach it.
 */
sealed interface Launcher {

    /** How long one of the small programs asked here may take. */
    Duration LIMIT = Duration.ofSeconds(10);

    /** The words before the program's own. */
    List<String> prefix();

    /** Makes a folder and all in it belong to the user the servers run as. */
    void own(Path folder);

    /** The command line that runs {@code program}. */
    default List<String> command(List<String> program) {
        List<String> words = new ArrayList<>(prefix());
        words.addAll(program);
        return words;
    }

    /** The same for a server: also in a session of its own, so that a terminal's Ctrl-C is ours alone to answer. */
    default List<String> detached(List<String> program) {
        List<String> words = new ArrayList<>(List.of("setsid"));
        words.addAll(command(program));
        return words;
    }

    /** The way that works here: as we are; as root in a user namespace of its own, else as another user. */
    static Launcher detect() {
        return detect(runsAsRoot(), words -> Command.run(words, LIMIT));
    }

    /** The same, told who we are and what runs here. */
    static Launcher detect(boolean root, Function<List<String>, Command> runs) {
        if (!root) {
            return new AsIs();
        }
        if (runs.apply(List.of("unshare", "-U", "true")).succeeded()) {
            return new InUserNamespace();
        }
        return Stream.of("postgres", "nobody")
                .map(user ->
                        new AsUser(user, runs.apply(List.of("id", "-g", user)).output()))
                .filter(user -> runs.apply(user.command(List.of("true"))).succeeded())
                .findFirst()
                .<Launcher>map(user -> user)
                .orElseThrow(
                        () -> new EmbeddedException("PostgreSQL does not run as root, and here neither 'unshare -U'"
                                + " nor 'setpriv' can give it another identity; start tenantry as an ordinary user"));
    }

    private static boolean runsAsRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException | UnsupportedOperationException noProcFolder) {
            return Command.run(List.of("id", "-u"), LIMIT).output().equals("0");
        }
    }

    /** We are not root: nothing to do. */
    record AsIs() implements Launcher {
        @Override
        public List<String> prefix() {
            return List.of();
        }

        @Override
        public void own(Path folder) {}
    }

    /** Root, in a new user namespace without mappings: the program sees the overflow user, the files stay root's. */
    record InUserNamespace() implements Launcher {
        @Override
        public List<String> prefix() {
            return List.of("unshare", "-U");
        }

        @Override
        public void own(Path folder) {}
    }

    /** Root where namespaces are not permitted (many containers): another user, who is given the data folders. */
    record AsUser(String user, String group) implements Launcher {
        @Override
        public List<String> prefix() {
            return List.of("setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups");
        }

        @Override
        public void own(Path folder) {
            Command chown = Command.run(List.of("chown", "-R", user + ":" + group, folder.toString()), LIMIT);
            Command reach = Command.run(command(List.of("test", "-x", folder.toString())), LIMIT);
            if (!chown.succeeded() || !reach.succeeded()) {
                throw new EmbeddedException("user " + user + ", whom the servers run as because PostgreSQL does not run"
                        + " as root, can't use " + folder + "; choose another folder with --data");
            }
        }
    }
}
