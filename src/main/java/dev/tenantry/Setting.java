package dev.tenantry;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.SmallRyeConfig;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Positive;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One key of the configuration, as its mapping declares it.
 *
 * @param key for example {@code tenantry.pool.size}
 * @param type what its text is converted to
 * @param optional whether it may be empty
 * @param declaration the mapping's method, whose annotations limit the values
 */
public record Setting(String key, Class<?> type, boolean optional, Method declaration) {

    /** Longer times are mistakes, and their milliseconds still fit everywhere. */
    private static final Duration LONGEST = Duration.ofDays(366);

    /** The converter takes any other word for false. */
    private static final Set<String> BOOLEANS = Set.of("true", "yes", "y", "on", "1", "false", "no", "n", "off", "0");

    private static final Pattern HUMP = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");

    /** All keys there are. */
    public static List<Setting> all() {
        List<Setting> all = new ArrayList<>();
        for (Class<?> mapping : List.of(AppConfig.class, ProxyConfig.class, ControlConfig.class)) {
            collect(mapping, mapping.getAnnotation(ConfigMapping.class).prefix(), all);
        }
        return all;
    }

    private static void collect(Class<?> group, String prefix, List<Setting> all) {
        for (Method method : group.getDeclaredMethods()) {
            String key = prefix + "."
                    + HUMP.matcher(method.getName()).replaceAll("-").toLowerCase(Locale.ROOT);
            Class<?> type = method.getReturnType();
            if (type.getEnclosingClass() != null && type.isInterface()) {
                collect(type, key, all);
            } else if (type == Optional.class) {
                all.add(new Setting(key, content(method), true, method));
            } else {
                all.add(new Setting(key, type, false, method));
            }
        }
    }

    private static Class<?> content(Method method) {
        ParameterizedType returned = (ParameterizedType) method.getGenericReturnType();
        return returned.getActualTypeArguments()[0] instanceof Class<?> plain ? plain : List.class;
    }

    /** The environment variable that sets it. */
    public String variable() {
        return key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }

    /** Which values it takes, in words. */
    public String values() {
        if (type == Duration.class) {
            return "a time, for example 500ms, 30s or PT1H30M"
                    + (declaration.isAnnotationPresent(Positive.class) ? ", not 0" : "");
        }
        if (type.isEnum()) {
            List<String> words = words();
            return String.join(", ", words.subList(0, words.size() - 1)) + " or " + words.getLast();
        }
        if (type == boolean.class) {
            return "true or false";
        }
        if (type == List.class) {
            return "a list, separated by commas";
        }
        return type == String.class ? "text" : "a number" + limits();
    }

    private List<String> words() {
        return Stream.of(type.getEnumConstants())
                .map(word -> ((Enum<?>) word).name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList();
    }

    private String limits() {
        return Stream.of(
                        Optional.ofNullable(declaration.getAnnotation(Min.class))
                                .map(min -> " from " + min.value()),
                        Optional.ofNullable(declaration.getAnnotation(DecimalMin.class))
                                .map(min -> " from " + min.value()),
                        Optional.ofNullable(declaration.getAnnotation(Max.class))
                                .map(max -> " to " + max.value()))
                .flatMap(Optional::stream)
                .collect(Collectors.joining());
    }

    /** Whether it takes a text. */
    boolean takes(String text, SmallRyeConfig config) {
        if (type == List.class || type == String.class) {
            return optional || !text.isBlank();
        }
        if (type == boolean.class) {
            return BOOLEANS.contains(text.strip().toLowerCase(Locale.ROOT));
        }
        if (type.isEnum()) {
            return words().contains(text.strip().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
        try {
            Object value = config.convert(text, type);
            return switch (value) {
                case Duration time -> isWithin(time);
                case Number number -> isWithin(number);
                case null, default -> false;
            };
        } catch (IllegalArgumentException | NoSuchElementException inconvertible) {
            return false;
        }
    }

    private boolean isWithin(Duration time) {
        Duration least = declaration.isAnnotationPresent(Positive.class) ? Duration.ofMillis(1) : Duration.ZERO;
        return time.compareTo(least) >= 0 && time.compareTo(LONGEST) <= 0;
    }

    private boolean isWithin(Number number) {
        Min min = declaration.getAnnotation(Min.class);
        Max max = declaration.getAnnotation(Max.class);
        DecimalMin least = declaration.getAnnotation(DecimalMin.class);
        return Double.isFinite(number.doubleValue())
                && (min == null || number.longValue() >= min.value())
                && (max == null || number.longValue() <= max.value())
                && (least == null || number.doubleValue() >= Double.parseDouble(least.value()));
    }
}
