package dev.tenantry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was asked for on the command line; each option is a configuration key under a shorter name. */
sealed interface CommandLine {

    /** The most embedded workers; {@link AppConfig.Embedded#workers()} has the same limit. */
    int WORKERS_MAX = 64;

    /** The text that {@code help} prints. */
    String USAGE = """
            usage: tenantry up [options]

              --workers N            embedded workers beside the coordinator (2)
              --data DIR             where the embedded servers keep their data (./data)
              --port PORT            where clients connect (6432)
              --http-port PORT       REST, health and metrics (8080)
              --pg-bin DIR           make the embedded servers from this PostgreSQL 15 to 18 installation
              --coordinator URL      use existing servers: postgresql://superuser:password@host:port/database
              --worker HOST:PORT     an existing worker, with --coordinator; may be given several times

            usage: tenantry check-isolation --url postgresql://superuser:password@host:port/database [options]

              --clients N            sessions at a time (16)
              --schemas N            schemas, made for it and removed afterwards (8)
              --seconds N            how long (60)
              --seed N               decides what is said; another one each time if not given
              --kill-backends        end connections to the nodes at random, on the nodes
              --moves                move the schemas from node to node at random

            usage: tenantry check-bank --url postgresql://superuser:password@host:port/database [options]

              --url URL              another proxy of the cluster, to go on through; may be given several times
              --clients N            sessions at a time (16)
              --schemas N            schemas, on one node after the other, removed afterwards (6)
              --accounts N           accounts in each of them (100)
              --seconds N            how long (60)
              --seed N               decides what is said; another one each time if not given
              --kill WHAT            nodes,proxies,backends or some of them: kill -9 of processes of this machine, and
                                     connections to nodes, at random; who runs the processes must start them again
              --outages              connections and servers may be lost meanwhile, because you kill them
              --moves                move the schemas from node to node at random

            usage: tenantry move SCHEMA NODE [options]

              has a schema moved, and shows how it goes; Ctrl-C leaves the move going on
              --url URL              the cluster: postgresql://role:password@host:port/database, or TENANTRY_URL
              --mode MODE            auto, force_logical or block_writes (auto)
              --detach               say the number of the move and leave
              --cancel N             undo move N, instead of beginning one

            usage: tenantry rebalance [options]

              has schemas brought where they should be, and shows how it goes
              --url URL              as above
              --strategy NAME        by_disk_size, by_shard_count or one of your own
              --mode MODE            as above
              --drain-only           only empty nodes that are to hold nothing
              --dry-run              show what would be moved, and what nodes would hold then
              --detach               say the number of the rebalance and leave
              --stop                 end the rebalance that runs

            usage: tenantry status [options]

              nodes, what they hold, and what is being moved
              --url URL              as above
              --schemas              all schemas, too
            """;

    /**
     * Start with these settings.
     *
     * @param properties configuration keys and values, in the order given
     */
    record Up(Map<String, String> properties) implements CommandLine {}

    /** Say how it is used. */
    record Help() implements CommandLine {}

    /**
     * A mistake.
     *
     * @param sentence what is wrong with it
     */
    record Wrong(String sentence) implements CommandLine {}

    /** Reads the words after the program's name. */
    static CommandLine parse(List<String> words) {
        List<String> rest = new ArrayList<>(words);
        if (!rest.isEmpty() && rest.getFirst().equals("up")) {
            rest.removeFirst();
        }
        Map<String, String> properties = new LinkedHashMap<>();
        List<String> workers = new ArrayList<>();
        while (!rest.isEmpty()) {
            String option = rest.removeFirst();
            if (List.of("help", "--help", "-h").contains(option)) {
                return new Help();
            }
            int equals = option.indexOf('=');
            if (option.startsWith("--") && equals > 0) {
                rest.addFirst(option.substring(equals + 1));
                option = option.substring(0, equals);
            }
            String key = key(option);
            if (key.isEmpty()) {
                return new Wrong("unknown option " + option);
            }
            if (rest.isEmpty()) {
                return new Wrong(option + " needs a value");
            }
            String value = rest.removeFirst();
            String mistake = mistake(option, value);
            if (!mistake.isEmpty()) {
                return new Wrong(mistake);
            }
            if (option.equals("--worker")) {
                workers.add(value);
            } else {
                properties.put(key, value);
            }
        }
        return finish(properties, workers);
    }

    private static CommandLine finish(Map<String, String> properties, List<String> workers) {
        boolean existing = properties.containsKey(AppConfig.COORDINATOR);
        if (!workers.isEmpty()) {
            if (!existing) {
                return new Wrong("--worker names an existing server and needs --coordinator;"
                        + " embedded workers are counted by --workers");
            }
            properties.put(AppConfig.WORKER, String.join(",", workers));
        }
        if (existing && properties.keySet().stream().anyMatch(key -> key.startsWith(AppConfig.EMBEDDED))) {
            return new Wrong("--coordinator uses existing servers: --workers, --data and --pg-bin do not go with it");
        }
        return new Up(properties);
    }

    private static String key(String option) {
        return switch (option) {
            case "--workers" -> AppConfig.EMBEDDED + "workers";
            case "--data" -> AppConfig.EMBEDDED + "data";
            case "--pg-bin" -> AppConfig.EMBEDDED + "pg-bin";
            case "--port" -> "tenantry.port";
            case "--http-port" -> "quarkus.http.port";
            case "--coordinator" -> AppConfig.COORDINATOR;
            case "--worker" -> AppConfig.WORKER;
            default -> "";
        };
    }

    private static String mistake(String option, String value) {
        return switch (option) {
            case "--workers" ->
                isNumber(value, 0, WORKERS_MAX)
                        ? ""
                        : "--workers is a number from 0 to " + WORKERS_MAX + ", not " + value;
            case "--port", "--http-port" ->
                isNumber(value, 1, 65_535) ? "" : option + " is a port from 1 to 65535, not " + value;
            case "--worker" -> value.matches("(.+):(\\d{1,5})") ? "" : "--worker is HOST:PORT, not " + value;
            default -> value.isBlank() ? option + " needs a value" : "";
        };
    }

    private static boolean isNumber(String text, int from, int to) {
        return text.matches("\\d{1,9}") && Integer.parseInt(text) >= from && Integer.parseInt(text) <= to;
    }
}
