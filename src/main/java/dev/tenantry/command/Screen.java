package dev.tenantry.command;

import java.util.function.Consumer;

/**
 * What a person or a script sees. A terminal has a last line that changes as something goes on; a pipe gets a line
 * whenever something worth a line has happened.
 */
public final class Screen {

    /** To the start of the line, and nothing in it any more; ECMA-48. */
    private static final String AGAIN = "\r\u001b[K";

    private final Consumer<String> text;
    private final Consumer<String> errors;
    private final boolean terminal;
    private String shown = "";

    /**
     * Writes there.
     *
     * @param text takes results, line ends included
     * @param errors takes lines about what went wrong
     * @param terminal whether results are seen on a terminal
     */
    public Screen(Consumer<String> text, Consumer<String> errors, boolean terminal) {
        this.text = text;
        this.errors = errors;
        this.terminal = terminal;
    }

    boolean isTerminal() {
        return terminal;
    }

    synchronized void result(String line) {
        leaveProgress();
        text.accept(line + "\n");
    }

    synchronized void problem(String line) {
        leaveProgress();
        errors.accept(line);
    }

    /**
     * How something goes on.
     *
     * @param line shown on a terminal, in the place of the last one
     * @param milestone shown in a pipe, unless it is the last one again
     */
    synchronized void progress(String line, String milestone) {
        String now = terminal ? line : milestone;
        if (!now.equals(shown)) {
            shown = now;
            text.accept(terminal ? AGAIN + now : now + "\n");
        }
    }

    private void leaveProgress() {
        if (terminal && !shown.isEmpty()) {
            text.accept(AGAIN);
        }
        shown = "";
    }
}
