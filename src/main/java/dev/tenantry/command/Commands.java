package dev.tenantry.command;

import dev.tenantry.client.Options;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The commands that are asked of a running cluster. */
public final class Commands {

    /** It can't be done, or has failed. */
    public static final int EXIT_FAILED = 1;

    /** The command was wrong. */
    public static final int EXIT_USAGE = 2;

    private static final Set<String> NAMES = Set.of("move", "rebalance", "status");
    private static final String URL = "TENANTRY_URL";

    private Commands() {}

    /** Whether that is the name of one. */
    public static boolean isOne(String command) {
        return NAMES.contains(command);
    }

    /**
     * Does one.
     *
     * @param words the command's name and its options
     * @param environment where the cluster's address is looked for when no option says it
     * @return the exit code of the process
     */
    public static int run(List<String> words, Map<String, String> environment, Screen screen)
            throws InterruptedException {
        String name = words.getFirst();
        try {
            List<String> given = new ArrayList<>(words.subList(1, words.size()));
            if (given.stream().noneMatch(word -> word.startsWith("--url")) && environment.containsKey(URL)) {
                given.addAll(List.of("--url", environment.get(URL)));
            }
            run(name, options(name, given), screen);
            return 0;
        } catch (IllegalArgumentException wrong) {
            screen.problem("tenantry " + name + ": " + wrong.getMessage() + " (see './tenantry help')");
            return EXIT_USAGE;
        } catch (CommandFailedException failed) {
            screen.problem("tenantry " + name + ": " + failed.getMessage());
            return EXIT_FAILED;
        }
    }

    private static Options options(String name, List<String> given) {
        Set<String> switches = new HashSet<>(Set.of("schemas"));
        switches.addAll(MoveCommand.SWITCHES);
        switches.addAll(RebalanceCommand.SWITCHES);
        Options options = Options.parse(given, switches);
        switch (name) {
            case "move" -> MoveCommand.check(options);
            case "rebalance" -> RebalanceCommand.check(options);
            default -> StatusCommand.check(options);
        }
        return options;
    }

    private static void run(String name, Options options, Screen screen)
            throws CommandFailedException, InterruptedException {
        try (ClusterSession cluster = new ClusterSession(options.address("url"), screen::problem)) {
            switch (name) {
                case "move" -> new MoveCommand(cluster, options, screen).run();
                case "rebalance" -> new RebalanceCommand(cluster, options, screen).run();
                default -> new StatusCommand(cluster, options, screen).run();
            }
        }
    }
}
