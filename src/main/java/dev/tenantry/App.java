package dev.tenantry;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.List;

/** The program: reads the command line and runs the service. */
@QuarkusMain
public final class App {

    private static final int EXIT_USAGE = 2;

    private App() {}

    /** Runs until told to stop; exit code 0, or 1 when it could not start, or 2 when it was called wrongly. */
    public static void main(String... args) {
        switch (CommandLine.parse(List.of(args))) {
            case CommandLine.Help help -> Terminal.result(CommandLine.USAGE);
            case CommandLine.Wrong wrong -> {
                Terminal.note("tenantry: " + wrong.sentence() + " (see './tenantry help')");
                System.exit(EXIT_USAGE);
            }
            case CommandLine.Up up -> {
                up.properties().forEach(System::setProperty);
                Quarkus.run(Service.class);
            }
        }
    }
}
