package dev.tenantry.client;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What comes after the name of a command: {@code --name value}, {@code --name=value}, {@code --name} for what is on or
 * off, and words. Every mistake is an {@link IllegalArgumentException} with a sentence about it.
 */
public final class Options {
    private static final String ON = "on";
    private static final int SECONDS_MAX = 1_000_000;

    private final Map<String, List<String>> values = new HashMap<>();
    private final List<String> words = new ArrayList<>();

    private Options() {}

    /**
     * Reads them.
     *
     * @param given all of them
     * @param switches names of what is on or off, after which no value comes
     */
    public static Options parse(List<String> given, Set<String> switches) {
        Options options = new Options();
        for (int i = 0; i < given.size(); i++) {
            String word = given.get(i);
            int equals = word.indexOf('=');
            if (!word.startsWith("--")) {
                options.words.add(word);
            } else if (equals > 0) {
                options.add(word.substring(2, equals), word.substring(equals + 1));
            } else if (switches.contains(word.substring(2))) {
                options.add(word.substring(2), ON);
            } else if (i + 1 < given.size()) {
                options.add(word.substring(2), given.get(++i));
            } else {
                throw new IllegalArgumentException(word + " needs a value");
            }
        }
        return options;
    }

    private void add(String name, String value) {
        values.computeIfAbsent(name, first -> new ArrayList<>()).add(value);
    }

    /**
     * Refuses all others.
     *
     * @param wordsMax how many words there may be
     */
    public Options allow(int wordsMax, String... names) {
        for (String given : values.keySet()) {
            if (!List.of(names).contains(given)) {
                throw new IllegalArgumentException("unknown option --" + given);
            }
        }
        if (words.size() > wordsMax) {
            throw new IllegalArgumentException("unknown word " + words.get(wordsMax));
        }
        return this;
    }

    /** The words, in their order. */
    public List<String> words() {
        return List.copyOf(words);
    }

    /** One that may be left out; the last if it is given several times. */
    public Optional<String> text(String name) {
        return all(name).isEmpty() ? Optional.empty() : Optional.of(all(name).getLast());
    }

    private List<String> all(String name) {
        return values.getOrDefault(name, List.of());
    }

    /** One of these; the first if it is left out. */
    public String choice(String name, String... choices) {
        String chosen = text(name).orElse(choices[0]);
        if (!List.of(choices).contains(chosen)) {
            throw new IllegalArgumentException("--" + name + " is " + String.join(", ", choices) + ", not " + chosen);
        }
        return chosen;
    }

    /** Some of these, with commas between them; none if it is left out. */
    public Set<String> some(String name, String... choices) {
        Set<String> chosen = new LinkedHashSet<>();
        for (String one : text(name).map(text -> text.split(",", -1)).orElse(new String[0])) {
            if (!List.of(choices).contains(one)) {
                throw new IllegalArgumentException("--" + name + " is some of " + String.join(",", choices)
                        + " with commas between them, not " + text(name).orElse(""));
            }
            chosen.add(one);
        }
        return chosen;
    }

    /** The cluster. */
    public ServerAddress address(String name) {
        return addresses(name).getLast();
    }

    /** The cluster, by one address or several; an option that is given once for each. */
    public List<ServerAddress> addresses(String name) {
        if (all(name).isEmpty()) {
            throw new IllegalArgumentException("--" + name + " is needed: postgresql://role:password@host:port/db");
        }
        return all(name).stream().map(ServerAddress::parse).toList();
    }

    /** A number within limits. */
    public int number(String name, int otherwise, int min, int max) {
        String text = text(name).orElse(Integer.toString(otherwise));
        if (!text.matches("\\d{1,9}") || Integer.parseInt(text) < min || Integer.parseInt(text) > max) {
            throw new IllegalArgumentException(
                    "--" + name + " is a number from " + min + " to " + max + ", not " + text);
        }
        return Integer.parseInt(text);
    }

    /** Whether it is on. */
    public boolean isOn(String name) {
        return text(name).filter(ON::equals).isPresent();
    }

    /** One that is different each time, unless it is given. */
    public long seed() {
        return number("seed", new SecureRandom().nextInt(1_000_000), 0, 999_999_999);
    }

    /** How long something is to last, a minute unless it is given. */
    public Duration seconds() {
        return Duration.ofSeconds(number("seconds", 60, 1, SECONDS_MAX));
    }
}
