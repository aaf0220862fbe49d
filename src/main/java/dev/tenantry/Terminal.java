package dev.tenantry;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What a person or a script reads of us: results on standard output, everything else on standard error. */
final class Terminal {

    private static final PrintStream OUT = stream(FileDescriptor.out);
    private static final PrintStream ERROR = stream(FileDescriptor.err);

    private Terminal() {}

    static void result(String line) {
        OUT.println(line);
    }

    static void note(String line) {
        ERROR.println(line);
    }

    /** Text as it is, without a line end of ours. */
    static void text(String text) {
        OUT.print(text);
        OUT.flush();
    }

    /** Whether a person looks at it, and not a file or another program. */
    @SuppressWarnings("SystemConsoleNull") // from 25 on it is null again without a terminal
    static boolean isInteractive() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    private static PrintStream stream(FileDescriptor descriptor) {
        return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
    }
}
