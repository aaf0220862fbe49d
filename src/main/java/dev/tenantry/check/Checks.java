package dev.tenantry.check;

import dev.tenantry.client.Options;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The checks as commands. */
public final class Checks {

    /** Something was wrong with the cluster. */
    public static final int EXIT_FAILED = 1;

    /** The command was wrong. */
    public static final int EXIT_USAGE = 2;

    private static final String ISOLATION = "check-isolation";
    private static final String BANK = "check-bank";

    private Checks() {}

    /** A check that is ready to be done. */
    @FunctionalInterface
    private interface Check {
        String run() throws IOException, InterruptedException;
    }

    /** Whether that is the name of a check. */
    public static boolean isOne(String command) {
        return command.equals(ISOLATION) || command.equals(BANK);
    }

    /**
     * Does one.
     *
     * @param words the command's name and its options
     * @param result takes what was found, as text
     * @return the exit code of the process
     */
    public static int run(List<String> words, Consumer<String> result) throws InterruptedException {
        Check check;
        try {
            Options options =
                    Options.parse(words.subList(1, words.size()), Set.of("kill-backends", "moves", "outages"));
            check = words.getFirst().equals(BANK) ? bank(options)::run : isolation(options)::run;
        } catch (IllegalArgumentException wrong) {
            result.accept("tenantry " + words.getFirst() + ": " + wrong.getMessage() + " (see './tenantry help')");
            return EXIT_USAGE;
        }
        try {
            result.accept(check.run());
            return 0;
        } catch (CheckFailedException | IOException failed) {
            result.accept("FAILED " + failed.getMessage());
            return EXIT_FAILED;
        }
    }

    private static IsolationCheck isolation(Options options) {
        options.allow(0, "url", "clients", "schemas", "seed", "seconds", "kill-backends", "moves");
        return new IsolationCheck(
                options.address("url"),
                options.number("clients", 16, 1, 1_000),
                options.number("schemas", 8, 1, 1_000),
                options.seed(),
                options.seconds(),
                new IsolationCheck.Trouble(options.isOn("kill-backends"), options.isOn("moves")));
    }

    private static BankCheck bank(Options options) {
        options.allow(0, "url", "clients", "schemas", "accounts", "seed", "seconds", "outages", "kill", "moves");
        return new BankCheck(
                options.addresses("url"),
                new BankCheck.Size(
                        options.number("clients", 16, 1, 1_000),
                        options.number("schemas", 6, 1, 1_000),
                        options.number("accounts", 100, 2, 10_000)),
                options.seed(),
                options.seconds(),
                new BankCheck.Trouble(options.isOn("outages"), victims(options), options.isOn("moves")));
    }

    private static Set<BankCheck.Victim> victims(Options options) {
        return options.some("kill", "nodes", "proxies", "backends").stream()
                .map(name -> BankCheck.Victim.valueOf(name.toUpperCase(Locale.ROOT)))
                .collect(Collectors.toSet());
    }
}
