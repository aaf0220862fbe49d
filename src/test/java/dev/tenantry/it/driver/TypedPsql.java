package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Eventually;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** psql at a terminal, typed at key by key. Not thread-safe. */
final class TypedPsql implements AutoCloseable {

    private static final String PROMPT = "=# ";

    private final Process process;
    private final InputStream screen;
    private final OutputStream keys;
    private final StringBuilder seen = new StringBuilder();

    private TypedPsql(Process process) {
        this.process = process;
        this.screen = process.getInputStream();
        this.keys = process.getOutputStream();
    }

    /** Starts it and waits for its prompt. */
    static TypedPsql start(String url) throws IOException {
        String psql = Programs.find("psql").orElseThrow().toString();
        String terminal = Programs.find("script").orElseThrow().toString();
        ProcessBuilder builder = new ProcessBuilder(terminal, "-qefc", psql + " -X '" + url + "'", "/dev/null")
                .redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of(
                        "TERM", "dumb",
                        "PAGER", "cat",
                        "INPUTRC", "/dev/null",
                        "EDITRC", "/dev/null",
                        "PSQL_HISTORY", "/dev/null",
                        "PGCONNECT_TIMEOUT", "20"));
        TypedPsql typed = new TypedPsql(builder.start());
        typed.awaitScreen(PROMPT);
        return typed;
    }

    /** Types a command and waits until psql is ready for the next. */
    void run(String command) throws IOException {
        type(command + "\n");
        awaitScreen(PROMPT);
    }

    /** Types keys; what was on the screen before is forgotten. */
    void type(String text) throws IOException {
        seen.setLength(0);
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }

    /** Waits until the screen shows this. */
    void awaitScreen(String text) {
        Eventually.passes(() -> {
            byte[] more = new byte[screen.available()];
            seen.append(new String(more, 0, screen.readNBytes(more, 0, more.length), StandardCharsets.UTF_8));
            assertThat(seen).contains(text);
        });
    }

    /** Throws away the line that is being typed. */
    void dropLine() throws IOException {
        type("\u0015\n");
        awaitScreen(PROMPT);
    }

    @Override
    public void close() throws IOException {
        keys.write("\u0015\\q\n".getBytes(StandardCharsets.US_ASCII));
        keys.flush();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("psql did not end: " + seen);
            }
        } catch (InterruptedException stopped) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
