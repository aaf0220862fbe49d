package dev.tenantry;

import dev.tenantry.check.Checks;
import dev.tenantry.command.Commands;
import dev.tenantry.command.Screen;
import dev.tenantry.embedded.FreePort;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.List;

/** The program: reads the command line and runs the service. */
@QuarkusMain
public final class App {

    /** The exit code of a process that could not start. */
    static final int EXIT_NOT_STARTED = 1;

    private static final int EXIT_USAGE = 2;
    private static final String HTTP_PORT = "8080";

    private App() {}

    /**
     * Runs until told to stop, or a check or another command until it is done; exit code 0, or 1 when it could not
     * start, has failed or found something, or 2 when it was called wrongly.
     */
    public static void main(String... args) throws InterruptedException {
        if (args.length > 0 && Checks.isOne(args[0])) {
            System.exit(Checks.run(List.of(args), Terminal::result));
        }
        if (args.length > 0 && Commands.isOne(args[0])) {
            Screen screen = new Screen(Terminal::text, Terminal::note, Terminal.isInteractive());
            System.exit(Commands.run(List.of(args), System.getenv(), screen));
        }
        switch (CommandLine.parse(List.of(args))) {
            case CommandLine.Help help -> Terminal.result(CommandLine.USAGE);
            case CommandLine.Wrong wrong -> {
                Terminal.note("tenantry: " + wrong.sentence() + " (see './tenantry help')");
                System.exit(EXIT_USAGE);
            }
            case CommandLine.Up up -> {
                up.properties().forEach(System::setProperty);
                requireHttpPort();
                Quarkus.run(Service.class);
            }
        }
    }

    /** Quarkus opens this port before any code of ours runs, and is long-winded when it can't. */
    private static void requireHttpPort() {
        String fromEnvironment = System.getenv().getOrDefault("QUARKUS_HTTP_PORT", HTTP_PORT);
        String port = System.getProperty("quarkus.http.port", fromEnvironment);
        if (port.matches("\\d{1,5}") && !FreePort.isFree(Integer.parseInt(port))) {
            Terminal.note("tenantry: port " + port + " is taken by another process; choose another with --http-port");
            System.exit(EXIT_NOT_STARTED);
        }
    }
}
