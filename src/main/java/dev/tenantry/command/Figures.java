package dev.tenantry.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Numbers as people read them. */
final class Figures {

    private static final int BAR = 24;
    private static final List<String> UNITS = List.of("kB", "MB", "GB", "TB");
    private static final long STEP = 1024;

    /** As pg_size_pretty, a unit is used from ten of it on. */
    private static final long FEW = 10 * STEP;

    private Figures() {}

    /** Bytes. */
    static String size(long bytes) {
        if (bytes < FEW) {
            return bytes + (bytes == 1 ? " byte" : " bytes");
        }
        double value = (double) bytes / STEP;
        int unit = 0;
        while (value >= FEW && unit < UNITS.size() - 1) {
            value /= STEP;
            unit++;
        }
        return Math.round(value) + " " + UNITS.get(unit);
    }

    /** A time. */
    static String seconds(double seconds) {
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        if (whole < 120) {
            return whole + " s";
        }
        return whole < 7_200
                ? whole / 60 + " min " + whole % 60 + " s"
                : whole / 3_600 + " h " + whole % 3_600 / 60 + " min";
    }

    /** How much of something is done, from 0 to 100. */
    static int percent(long done, long of) {
        return of <= 0 ? 0 : (int) Math.min(100, Math.max(0, 100 * (double) done / of));
    }

    /** The same as a bar. */
    static String bar(int percent) {
        int full = BAR * percent / 100;
        return "[" + "#".repeat(full) + "-".repeat(BAR - full) + "]";
    }

    /** Rows under their headings, in columns; numbers, with or without a unit, to the right. */
    static List<String> table(List<String> headings, List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>(List.of(headings));
        all.addAll(rows);
        return all.stream()
                .map(row -> IntStream.range(0, headings.size())
                        .mapToObj(column -> {
                            int width = all.stream()
                                    .mapToInt(each -> each.get(column).length())
                                    .max()
                                    .orElse(0);
                            boolean right = rows.stream()
                                    .allMatch(each -> each.get(column).matches("([0-9]+( [%\\w]+)?|[?])?"));
                            String blank = " ".repeat(width - row.get(column).length());
                            return right ? blank + row.get(column) : row.get(column) + blank;
                        })
                        .collect(Collectors.joining("  "))
                        .stripTrailing())
                .toList();
    }
}
