package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Storage parameters, which the catalogs keep as {@code name=value}. */
final class StorageOptions {

    private StorageOptions() {}

    /** A list for CREATE or SET, without the parentheses. */
    static String list(List<String> options) {
        return list(options, "");
    }

    /** The same with each name behind a prefix, {@code toast.}. */
    static String list(List<String> options, String prefix) {
        return assignments(options, prefix).collect(Collectors.joining(", "));
    }

    /** The clause of CREATE TABLE, or nothing. */
    static String with(List<String> options, List<String> ofToast) {
        return options.isEmpty() && ofToast.isEmpty()
                ? ""
                : Stream.concat(assignments(options, ""), assignments(ofToast, "toast."))
                        .collect(Collectors.joining(", ", " WITH (", ")"));
    }

    private static Stream<String> assignments(List<String> options, String prefix) {
        return options.stream().map(option -> {
            int equals = option.indexOf('=');
            return prefix + SqlName.quoted(option.substring(0, equals)) + " = "
                    + SqlName.literal(option.substring(equals + 1)).strip();
        });
    }
}
