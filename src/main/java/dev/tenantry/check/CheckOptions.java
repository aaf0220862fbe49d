package dev.tenantry.check;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The options of a check: {@code --name value}, {@code --name=value}, or {@code --name} for what is on or off. */
final class CheckOptions {
    private static final String ON = "on";
    private static final int SECONDS_MAX = 1_000_000;

    private final Map<String, String> values = new HashMap<>();

    private CheckOptions() {}

    /**
     * Reads them.
     *
     * @throws IllegalArgumentException with a sentence about what is wrong
     */
    static CheckOptions parse(List<String> words) {
        CheckOptions options = new CheckOptions();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (!word.startsWith("--")) {
                throw new IllegalArgumentException("unknown word " + word);
            }
            int equals = word.indexOf('=');
            boolean hasNext = i + 1 < words.size() && !words.get(i + 1).startsWith("--");
            if (equals > 0) {
                options.values.put(word.substring(2, equals), word.substring(equals + 1));
            } else if (hasNext) {
                options.values.put(word.substring(2), words.get(++i));
            } else {
                options.values.put(word.substring(2), ON);
            }
        }
        return options;
    }

    /** Refuses all others. */
    void allow(String... names) {
        for (String given : values.keySet()) {
            if (!List.of(names).contains(given)) {
                throw new IllegalArgumentException("unknown option --" + given);
            }
        }
    }

    ServerAddress address(String name) {
        String url = values.get(name);
        if (url == null) {
            throw new IllegalArgumentException(
                    "--" + name + " is needed: postgresql://superuser:password@host:port/db");
        }
        return ServerAddress.parse(url);
    }

    int number(String name, int otherwise, int min, int max) {
        String text = values.getOrDefault(name, Integer.toString(otherwise));
        if (!text.matches("\\d{1,9}") || Integer.parseInt(text) < min || Integer.parseInt(text) > max) {
            throw new IllegalArgumentException(
                    "--" + name + " is a number from " + min + " to " + max + ", not " + text);
        }
        return Integer.parseInt(text);
    }

    boolean isOn(String name) {
        return values.getOrDefault(name, "off").equals(ON);
    }

    /** One that is different each time, unless it is given. */
    long seed() {
        return number("seed", new SecureRandom().nextInt(1_000_000), 0, 999_999_999);
    }

    Duration seconds() {
        return Duration.ofSeconds(number("seconds", 60, 1, SECONDS_MAX));
    }
}
