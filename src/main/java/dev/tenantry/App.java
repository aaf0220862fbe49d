package dev.tenantry;

import dev.tenantry.check.Checks;
import dev.tenantry.command.Commands;
import dev.tenantry.command.Screen;
import dev.tenantry.embedded.FreePort;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import io.smallrye.config.SmallRyeConfig;
import java.net.InetSocketAddress;
import java.util.List;
import org.eclipse.microprofile.config.ConfigProvider;

/** The program: reads the command line and runs the service. */
@QuarkusMain
public final class App {

    /** The exit code of a process that could not start. */
    static final int EXIT_NOT_STARTED = 1;

    private static final int EXIT_USAGE = 2;
    private static final String HTTP_HOST = "quarkus.http.host";

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
                SmallRyeConfig config = ConfigProvider.getConfig().unwrap(SmallRyeConfig.class);
                requireSettings(config);
                requireHttp(config);
                Quarkus.run(Service.class);
            }
        }
    }

    /** Quarkus would say mistakes, too, in several lines each and with its libraries' codes. */
    private static void requireSettings(SmallRyeConfig config) {
        SettingsCheck check = SettingsCheck.of(config, System.getenv());
        check.unknown().forEach(sentence -> Terminal.note("tenantry: " + sentence));
        if (!check.mistakes().isEmpty()) {
            refuse(check.mistakes());
        }
    }

    /** Quarkus listens here before any code of ours runs, and is long-winded when it can't. */
    private static void requireHttp(SmallRyeConfig config) {
        String host = config.getOptionalValue(HTTP_HOST, String.class).orElse("localhost");
        if (new InetSocketAddress(host, 0).isUnresolved()) {
            refuse(List.of(HTTP_HOST + " can't be \"" + host + "\", which is no address and a name that nobody knows"));
        }
        String port = SettingsCheck.httpPort(config);
        if (!FreePort.isFree(Integer.parseInt(port))) {
            refuse(List.of("port " + port + " is taken by another process; choose another with --http-port"));
        }
    }

    private static void refuse(List<String> sentences) {
        sentences.forEach(sentence -> Terminal.note("tenantry: " + sentence));
        System.exit(EXIT_NOT_STARTED);
    }
}
