package dev.tenantry.wire;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The startup parameter {@code options}: command-line arguments for the session, read as the server reads them (its
 * {@code pg_split_opts} and the getopt loop of a backend). Only arguments that change settings have a meaning here; the
 * others are kept, so that a node can judge them.
 *
 * @param settings the settings given, in order; a later one of the same name wins
 * @param otherSwitches the switches that stand for no setting, as they were written after splitting
 */
public record StartupOptions(List<Setting> settings, List<String> otherSwitches) {

    /** No options. */
    public static final StartupOptions NONE = new StartupOptions(List.of(), List.of());

    private static final String SYNTAX_ERROR = "42601";
    private static final String SWITCHES_WITH_ARGUMENT = "BCcDdfhkNprStvW-";
    private static final String SWITCHES_ALONE = "bEeFijlnOPsT";

    /** Switches with an argument that are another way to write a setting. */
    private static final Map<Character, String> ARGUMENT_SETTINGS = Map.of(
            'B', "shared_buffers",
            'h', "listen_addresses",
            'k', "unix_socket_directories",
            'N', "max_connections",
            'p', "port",
            'S', "work_mem",
            'W', "post_auth_delay");

    /** Switches without an argument that are another way to write a setting. */
    private static final Map<Character, Setting> PLAIN_SETTINGS = Map.of(
            'e', new Setting("datestyle", "euro"),
            'F', new Setting("fsync", "false"),
            'i', new Setting("listen_addresses", "*"),
            'l', new Setting("ssl", "true"),
            'O', new Setting("allow_system_table_mods", "true"),
            'P', new Setting("ignore_system_indexes", "true"),
            's', new Setting("log_statement_stats", "true"));

    /** {@code -f x}: the kinds of plan it turns off. */
    private static final Map<Character, String> PLAN_SETTINGS = Map.of(
            's', "enable_seqscan",
            'i', "enable_indexscan",
            'o', "enable_indexonlyscan",
            'b', "enable_bitmapscan",
            't', "enable_tidscan",
            'n', "enable_nestloop",
            'm', "enable_mergejoin",
            'h', "enable_hashjoin");

    public StartupOptions {
        settings = List.copyOf(settings);
        otherSwitches = List.copyOf(otherSwitches);
    }

    /**
     * One setting.
     *
     * @param name its name as written, hyphens made underscores
     * @param value its value as written, escapes resolved
     */
    public record Setting(String name, String value) {

        /** The name in the case in which settings are compared. */
        public String key() {
            return name.toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Reads the parameter's value.
     *
     * @throws ProtocolViolation 42601 in the server's words if a switch is unknown or lacks what it needs
     */
    public static StartupOptions parse(String text) {
        List<String> arguments = split(text);
        Reader reader = new Reader();
        int index = 0;
        boolean ended = false;
        while (index < arguments.size() && !ended) {
            String argument = arguments.get(index);
            if (argument.equals("--")) {
                ended = true;
                index++;
            } else if (argument.length() < 2 || argument.charAt(0) != '-') {
                throw invalidArgument(argument);
            } else {
                index = reader.readCluster(arguments, index);
            }
        }
        if (index < arguments.size()) {
            throw invalidArgument(arguments.get(index));
        }
        return new StartupOptions(reader.settings, reader.otherSwitches);
    }

    /** The arguments of the parameter's value: parted by blanks, a backslash takes the next character as it is. */
    public static List<String> split(String text) {
        List<String> arguments = new ArrayList<>();
        int index = 0;
        while (true) {
            while (index < text.length() && isBlank(text.charAt(index))) {
                index++;
            }
            if (index == text.length()) {
                return arguments;
            }
            StringBuilder argument = new StringBuilder();
            boolean escaped = false;
            while (index < text.length() && (escaped || !isBlank(text.charAt(index)))) {
                char c = text.charAt(index++);
                if (!escaped && c == '\\') {
                    escaped = true;
                } else {
                    escaped = false;
                    argument.append(c);
                }
            }
            arguments.add(argument.toString());
        }
    }

    /**
     * Puts settings in front of the value a client sent, so that the client's own win; both are kept to the letter.
     *
     * @param defaults what a session has unless the client says otherwise
     * @param text the client's value, possibly empty
     */
    public static String append(List<Setting> defaults, String text) {
        String front = new StartupOptions(defaults, List.of()).format();
        return Stream.of(front, text).filter(part -> !part.isEmpty()).reduce("", StartupOptions::joined);
    }

    /** Writes these options as a value that {@link #parse} reads to the same settings and switches. */
    public String format() {
        Stream<String> switches = otherSwitches.stream().map(StartupOptions::escaped);
        Stream<String> assignments =
                settings.stream().map(setting -> "-c " + escaped(setting.name() + "=" + setting.value()));
        return Stream.concat(assignments, switches).reduce("", StartupOptions::joined);
    }

    private static String joined(String left, String right) {
        return left.isEmpty() ? right : left + " " + right;
    }

    private static String escaped(String argument) {
        StringBuilder escaped = new StringBuilder(argument.length() + 8);
        for (int i = 0; i < argument.length(); i++) {
            char c = argument.charAt(i);
            if (c == '\\' || isBlank(c)) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }

    /** C's isspace. */
    private static boolean isBlank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }

    private static ProtocolViolation invalidArgument(String argument) {
        return ProtocolViolation.of(SYNTAX_ERROR, "invalid command-line argument for server process: " + argument)
                .withHint("Try \"postgres --help\" for more information.");
    }

    /** The getopt loop: one argument may hold several switches, the last of which may want the next argument. */
    private static final class Reader {

        private final List<Setting> settings = new ArrayList<>();
        private final List<String> otherSwitches = new ArrayList<>();

        /** Reads the switches of one argument and returns the index of the first argument not used up. */
        int readCluster(List<String> arguments, int index) {
            String cluster = arguments.get(index);
            for (int at = 1; at < cluster.length(); at++) {
                char letter = cluster.charAt(at);
                if (SWITCHES_ALONE.indexOf(letter) >= 0) {
                    readAlone(letter);
                } else if (SWITCHES_WITH_ARGUMENT.indexOf(letter) < 0) {
                    // The server blames the argument before the one its getopt has not finished with.
                    boolean last = at + 1 == cluster.length();
                    throw invalidArgument(last ? cluster : index == 0 ? "postgres" : arguments.get(index - 1));
                } else if (at + 1 < cluster.length()) {
                    readWithArgument(letter, cluster.substring(at + 1), cluster);
                    return index + 1;
                } else if (index + 1 < arguments.size()) {
                    readWithArgument(letter, arguments.get(index + 1), arguments.get(index + 1));
                    return index + 2;
                } else {
                    throw invalidArgument(cluster);
                }
            }
            return index + 1;
        }

        private void readAlone(char letter) {
            Setting setting = PLAIN_SETTINGS.get(letter);
            if (setting == null) {
                otherSwitches.add("-" + letter);
            } else {
                settings.add(setting);
            }
        }

        private void readWithArgument(char letter, String argument, String blamed) {
            switch (letter) {
                case 'c', '-' -> settings.add(assignment(letter, argument));
                case 'f' ->
                    settings.add(new Setting(
                            known(PLAN_SETTINGS.get(argument.isEmpty() ? '\0' : argument.charAt(0)), blamed), "false"));
                case 't' -> settings.add(new Setting(known(statisticsSetting(argument), blamed), "true"));
                default -> {
                    String name = ARGUMENT_SETTINGS.get(letter);
                    if (name == null) {
                        otherSwitches.addAll(Arrays.asList("-" + letter, argument));
                    } else {
                        settings.add(new Setting(name, argument));
                    }
                }
            }
        }

        private static Setting assignment(char letter, String argument) {
            int equals = argument.indexOf('=');
            if (equals < 0) {
                String written = letter == '-' ? "--" + argument : "-c " + argument;
                throw ProtocolViolation.of(SYNTAX_ERROR, written + " requires a value");
            }
            return new Setting(argument.substring(0, equals).replace('-', '_'), argument.substring(equals + 1));
        }

        private static String statisticsSetting(String argument) {
            return argument.startsWith("pa")
                    ? "log_parser_stats"
                    : argument.startsWith("pl")
                            ? "log_planner_stats"
                            : argument.startsWith("e") ? "log_executor_stats" : "";
        }

        private static String known(@Nullable String name, String blamed) {
            if (name == null || name.isEmpty()) {
                throw invalidArgument(blamed);
            }
            return name;
        }
    }
}
