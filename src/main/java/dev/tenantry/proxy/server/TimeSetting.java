package dev.tenantry.proxy.server;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads a setting that is a time in milliseconds unless it has a unit ("Parameter Names and Values"). */
final class TimeSetting {
    private static final Pattern FORM = Pattern.compile(
            "\\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]*\\.?[0-9]*(?:[eE][+-]?[0-9]+)?)\\s*(us|ms|s|min|h|d|)\\s*");

    private TimeSetting() {}

    /** Milliseconds, rounded as a server does; 0 for what is none, which a server would not have accepted. */
    static long millis(@Nullable String text) {
        Matcher form = FORM.matcher(text == null ? "" : text);
        if (!form.matches() || form.group(2).isEmpty() || form.group(1).equals("-")) {
            return 0;
        }
        return Math.round(number(form.group(2)) * inMillis(form.group(3)));
    }

    /** A whole number may be hexadecimal or octal, as in C. */
    private static double number(String text) {
        try {
            boolean whole = text.chars().noneMatch(c -> c == '.')
                    && (text.startsWith("0x")
                            || text.startsWith("0X")
                            || text.chars().allMatch(Character::isDigit));
            return whole ? Long.decode(text) : Double.parseDouble(text);
        } catch (NumberFormatException none) {
            return 0;
        }
    }

    private static double inMillis(String unit) {
        return switch (unit) {
            case "us" -> 0.001;
            case "s" -> 1_000;
            case "min" -> 60_000;
            case "h" -> 3_600_000;
            case "d" -> 86_400_000;
            default -> 1;
        };
    }
}
