package dev.tenantry.control.rebalance.plan;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;

/**
 * A part of every day.
 *
 * @param from when it begins
 * @param to when it ends, the next day if that is not later; the same as {@code from} for the whole day
 * @param zone whose time that is
 */
public record TimeWindow(LocalTime from, LocalTime to, ZoneId zone) {

    /** All the time. */
    public static final TimeWindow ALWAYS = new TimeWindow(LocalTime.MIDNIGHT, LocalTime.MIDNIGHT, ZoneId.of("UTC"));

    /**
     * Reads {@code HH:MM-HH:MM}.
     *
     * @throws IllegalArgumentException if it is anything else, or there is no such zone
     */
    public static TimeWindow parse(String text, String zone) {
        String[] ends = text.trim().split("-", -1);
        try {
            if (ends.length == 2) {
                return new TimeWindow(
                        LocalTime.parse(ends[0].trim()), LocalTime.parse(ends[1].trim()), ZoneId.of(zone.trim()));
            }
        } catch (DateTimeException wrong) {
            throw new IllegalArgumentException(
                    "not a window of time: \"" + text + "\" in zone \"" + zone + "\"", wrong);
        }
        throw new IllegalArgumentException("not a window of time: \"" + text + "\" (use HH:MM-HH:MM)");
    }

    /** Whether it is open then. */
    public boolean contains(Instant then) {
        LocalTime time = LocalTime.ofInstant(then, zone);
        return from.isBefore(to)
                ? !time.isBefore(from) && time.isBefore(to)
                : !time.isBefore(from) || time.isBefore(to);
    }
}
