package dev.tenantry.control.node.copy;

import java.util.List;
import java.util.stream.Collectors;

/** Values as text that means the same on both sides of a move. */
final class RowText {

    /** What the text of a value depends on. */
    private static final List<String> SETTINGS = List.of(
            "timezone = 'UTC'",
            "datestyle = 'ISO, YMD'",
            "intervalstyle = 'postgres'",
            "bytea_output = 'hex'",
            "extra_float_digits = 1",
            "xmloption = 'content'",
            "lc_monetary = 'C'");

    private RowText() {}

    /** Commands that have a session write and read such text; {@code set} is SET or SET LOCAL. */
    static String settings(String set) {
        return SETTINGS.stream().map(setting -> set + ' ' + setting).collect(Collectors.joining("; "));
    }
}
