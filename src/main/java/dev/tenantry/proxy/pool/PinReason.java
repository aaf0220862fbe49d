package dev.tenantry.proxy.pool;

import java.util.ArrayList;
import java.util.List;

/** What can be on a connection that its session could not have on another, so that it keeps the connection. */
public enum PinReason {
    TEMPORARY_OBJECTS("temporary objects"),
    ADVISORY_LOCKS("advisory locks"),
    LISTEN("LISTEN"),
    CURSORS("cursors WITH HOLD"),
    PREPARED_STATEMENTS("prepared statements"),
    SETTINGS("settings"),
    /** The session or one of its role has asked for {@code currval} or {@code lastval}. */
    SEQUENCES("currval and lastval"),
    SEED("setseed"),
    /** The session has {@code tenantry.pool_mode = 'session'}. */
    SESSION_MODE("session mode"),
    /** The node was asked and did not answer. */
    UNKNOWN("unknown");

    private final String text;

    PinReason(String text) {
        this.text = text;
    }

    /** In words. */
    public String text() {
        return text;
    }

    /** The reasons that are listed by their words, with commas. */
    static List<PinReason> listed(String words) {
        List<PinReason> found = new ArrayList<>();
        List<String> listed = List.of(words.split(","));
        for (PinReason reason : values()) {
            if (listed.contains(reason.text)) {
                found.add(reason);
            }
        }
        return found;
    }
}
