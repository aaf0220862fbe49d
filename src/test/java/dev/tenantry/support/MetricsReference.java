package dev.tenantry.support;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Writes docs/metrics.md from what the service exposes; a metric or label that nobody has explained is an error. */
public final class MetricsReference {

    private static final String OURS = "tenantry_";

    private static final String HEAD = """
            # Metrics

            <!-- Generated from what the service exposes: mvn test -Dtest=HealthIT -Dgolden=update -->

            `/q/metrics` has them in Prometheus's text format. Nothing in them names a tenant, so their number does not grow
            with schemas. A histogram `x` comes as `x_bucket`, `x_sum` and `x_count`, and its largest value of late as the
            gauge `x_max`.

            | metric | kind | unit | labels | meaning |
            | --- | --- | --- | --- | --- |
            """;

    private static final Map<String, String> LABELS = new TreeMap<>(Map.of(
            "action", "what was done with the transaction",
            "direction", "of the bytes, seen from the client",
            "node", "name of a node, as in `pg_dist_node`",
            "outcome", "what became of the request",
            "reason", "what was found, as in `SHOW tenantry.pins`",
            "route", "why a statement went where it went; see [routing.md](routing.md)",
            "sqlstate_class", "the first two characters of the SQLSTATE"));

    /** Those whose values are not known beforehand. */
    private static final List<String> OPEN_LABELS = List.of("node", "sqlstate_class");

    /** What the platform counts, by the beginning of the names. */
    private static final Map<String, String> OTHERS = new TreeMap<>(Map.of(
            "http_", "requests to the HTTP port",
            "jvm_", "memory, threads, classes and garbage collection of the Java machine",
            "netty_", "buffers of the network library",
            "process_", "processor time, files and start of the process",
            "system_", "processors and load of the machine",
            "worker_", "threads of the HTTP server"));

    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

    private MetricsReference() {}

    private record Family(String name, String kind, Map<String, TreeSet<String>> labels) {

        String row(String meaning) {
            if (meaning.isEmpty()) {
                throw new AssertionError("nobody has explained the metric " + name);
            }
            String full = kind.equals("counter") && !name.endsWith("_total") ? name + "_total" : name;
            String unit = name.contains("_seconds") ? "seconds" : name.contains("_bytes") ? "bytes" : "number";
            String named =
                    labels.keySet().stream().map(label -> "`" + label + "`").collect(Collectors.joining(", "));
            return "| `%s` | %s | %s | %s | %s |\n".formatted(full, kind, unit, named, meaning);
        }
    }

    /** The page for what Prometheus would read. */
    public static String of(String exposition) {
        Map<String, String> meanings = new TreeMap<>();
        Map<String, Family> families = families(exposition, meanings);
        StringBuilder page = new StringBuilder(HEAD);
        Map<String, TreeSet<String>> labels = new TreeMap<>();
        for (Family family : families.values()) {
            if (family.name().startsWith(OURS)) {
                if (!family.name().endsWith("_max")) {
                    page.append(family.row(meanings.getOrDefault(family.name(), "")));
                }
                family.labels()
                        .forEach((label, values) -> labels.computeIfAbsent(label, it -> new TreeSet<>())
                                .addAll(values));
            } else if (OTHERS.keySet().stream().noneMatch(family.name()::startsWith)) {
                throw new AssertionError("nobody has explained the metric " + family.name());
            }
        }
        page.append("\n| label | meaning | values |\n| --- | --- | --- |\n");
        labels.forEach((label, values) -> page.append("| `%s` | %s | %s |\n"
                .formatted(label, explained(label), OPEN_LABELS.contains(label) ? "" : quoted(values))));
        page.append("\nThe platform adds its own:\n\n| names begin with | they count |\n| --- | --- |\n");
        OTHERS.forEach((prefix, meaning) -> page.append("| `%s` | %s |\n".formatted(prefix, meaning)));
        return page.toString();
    }

    private static String explained(String label) {
        String meaning = LABELS.get(label);
        if (meaning == null) {
            throw new AssertionError("nobody has explained the label " + label);
        }
        return meaning;
    }

    private static String quoted(Set<String> values) {
        return values.stream().map(value -> "`" + value + "`").collect(Collectors.joining(", "));
    }

    private static Map<String, Family> families(String exposition, Map<String, String> meanings) {
        Map<String, Family> families = new TreeMap<>();
        for (String line : exposition.split("\n", -1)) {
            String[] words = line.split(" ", 4);
            if (line.startsWith("# HELP ")) {
                meanings.put(words[2], words.length > 3 ? words[3].strip() : "");
            } else if (line.startsWith("# TYPE ")) {
                String name = words[2];
                families.put(name, new Family(name, words[3].strip(), new TreeMap<>()));
            } else if (!line.isBlank() && !line.startsWith("#")) {
                addLabels(families, line);
            }
        }
        return families;
    }

    private static void addLabels(Map<String, Family> families, String sample) {
        String name = sample.split("[{ ]", 2)[0];
        Family family = families.get(name);
        if (family == null) {
            family = families.get(name.replaceAll("_(bucket|sum|count|total|created)$", ""));
        }
        if (family == null) {
            throw new AssertionError("a sample without a type: " + sample);
        }
        Matcher labels = LABEL.matcher(sample);
        while (labels.find()) {
            if (!labels.group(1).equals("le")) {
                family.labels()
                        .computeIfAbsent(labels.group(1), label -> new TreeSet<>())
                        .add(labels.group(2));
            }
        }
    }
}
