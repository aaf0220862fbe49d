package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Runs other people's programs, one at a time, with a limit of time. */
final class Programs {

    private static final long SECONDS_MAX = 120;
    private static final List<Path> FOLDERS =
            List.of(Path.of("/usr/lib/postgresql/15/bin"), Path.of("/usr/local/bin"), Path.of("/usr/bin"));

    /**
     * How a program ended.
     *
     * @param status 0 when well
     * @param output what it said on standard output and error
     */
    record Ended(int status, String output) {
        /** What a program said that must have ended well. */
        String expectSuccess() {
            assertThat(status).as(output).isZero();
            return output;
        }
    }

    private Programs() {}

    /** Where a program is, if the machine has it. */
    static Optional<Path> find(String name) {
        return FOLDERS.stream()
                .map(folder -> folder.resolve(name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Runs it with this on its standard input and these variables. */
    static Ended run(Path folder, Map<String, String> environment, String input, List<String> command)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("tenantry-program-", ".out");
        Path in = Files.createTempFile("tenantry-program-", ".in");
        try {
            Files.writeString(in, input);
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectInput(in.toFile())
                    .redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(command + " did not end: " + Files.readString(output));
            }
            return new Ended(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
            Files.delete(in);
        }
    }

    /** Runs it in the project's folder with nothing on its standard input. */
    static Ended run(List<String> command) throws IOException, InterruptedException {
        return run(Path.of("."), Map.of(), "", command);
    }
}
