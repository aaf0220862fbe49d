package dev.tenantry;

import io.smallrye.config.ConfigValue;
import io.smallrye.config.SmallRyeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * What is wrong with the settings, one sentence for each, before anything is started by them.
 *
 * @param mistakes why nothing can be started
 * @param unknown environment variables that look like settings and are none; others may have set them for their own use
 */
record SettingsCheck(List<String> mistakes, List<String> unknown) {

    /** The key of the port that Quarkus opens. */
    static final String HTTP_PORT = "quarkus.http.port";

    private static final int PORT_MAX = 65_535;
    private static final String OURS = "tenantry.";
    private static final String VARIABLES = "TENANTRY_";
    private static final Set<String> OTHER_VARIABLES = Set.of("TENANTRY_URL", "TENANTRY_JAVA_OPTS");
    private static final String WHERE = " (see docs/configuration.md)";
    private static final Pattern PROFILE = Pattern.compile("^%[^.]+\\.");
    private static final Pattern ELEMENT = Pattern.compile("\\[\\d+]$");

    /** Looks through all that is set. */
    static SettingsCheck of(SmallRyeConfig config, Map<String, String> environment) {
        List<Setting> settings = Setting.all();
        List<String> mistakes = new ArrayList<>();
        for (Setting setting : settings) {
            check(setting, config, environment, mistakes);
        }
        checkHttpPort(config, environment, mistakes);
        Set<String> keys = settings.stream().map(Setting::key).collect(Collectors.toSet());
        for (ConfigSource source : config.getConfigSources()) {
            if (!isEnvironment(source.getName())) {
                source.getPropertyNames().stream()
                        .filter(name -> isUnknown(name, keys))
                        .map(name -> "there is no setting " + name + WHERE)
                        .forEach(mistakes::add);
            }
        }
        Set<String> variables = settings.stream().map(Setting::variable).collect(Collectors.toSet());
        return new SettingsCheck(
                mistakes.stream().distinct().sorted().toList(),
                environment.keySet().stream()
                        .filter(name -> name.startsWith(VARIABLES))
                        .filter(name -> !variables.contains(name) && !OTHER_VARIABLES.contains(name))
                        .sorted()
                        .map(name -> name + " is none of the settings and changes nothing" + WHERE)
                        .toList());
    }

    private static void check(
            Setting setting, SmallRyeConfig config, Map<String, String> environment, List<String> mistakes) {
        ConfigValue value = config.getConfigValue(setting.key());
        String text = value.getValue();
        String name = isEnvironment(value) && environment.containsKey(setting.variable())
                ? setting.variable()
                : setting.key();
        if (text == null) {
            if (value.getRawValue() != null) {
                mistakes.add(name + " refers with ${...} to something that is not set");
            }
        } else if (text.isBlank() && !setting.optional()) {
            mistakes.add(name + " is empty; leave it unset, or give it " + setting.values());
        } else if (!setting.takes(text, config)) {
            mistakes.add(name + " can't be \"" + text + "\", it takes " + setting.values() + remedy(text));
        }
    }

    /** The well-known trap of a pod beside a service called tenantry. */
    private static String remedy(String text) {
        return text.startsWith("tcp://")
                ? "; Kubernetes sets such variables for a service of this name:"
                        + " call it otherwise, or set enableServiceLinks to false"
                : "";
    }

    /** Quarkus says it at length. */
    private static void checkHttpPort(SmallRyeConfig config, Map<String, String> environment, List<String> mistakes) {
        String text = httpPort(config);
        if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > PORT_MAX) {
            String variable = "QUARKUS_HTTP_PORT";
            mistakes.add((environment.containsKey(variable) ? variable : HTTP_PORT) + " can't be \"" + text
                    + "\", it takes a number from 0 to " + PORT_MAX);
        }
    }

    /** The port for HTTP, as it is set. */
    static String httpPort(SmallRyeConfig config) {
        return config.getOptionalValue(HTTP_PORT, String.class).orElse("8080").strip();
    }

    private static boolean isUnknown(String property, Set<String> keys) {
        String name = PROFILE.matcher(property).replaceFirst("");
        return name.startsWith(OURS)
                && !keys.contains(name)
                && !keys.contains(ELEMENT.matcher(name).replaceFirst(""));
    }

    private static boolean isEnvironment(ConfigValue value) {
        return value.getConfigSourceName() != null && isEnvironment(value.getConfigSourceName());
    }

    private static boolean isEnvironment(String source) {
        return source.startsWith("EnvConfigSource");
    }
}
