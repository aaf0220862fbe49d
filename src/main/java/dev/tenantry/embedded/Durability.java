package dev.tenantry.embedded;

import java.util.List;

/** Whether a server's data must survive the machine. */
public enum Durability {
    /** Commits are on the disk when they are acknowledged: PostgreSQL's own default. */
    KEPT,

    /**
     * Nothing waits for the disk; for tests, whose data nobody wants after a power cut. Commits still survive a killed
     * server: they are with the operating system.
     */
    THROWAWAY;

    /** The settings that say so, as {@code name=value}. */
    List<String> settings() {
        return switch (this) {
            case KEPT -> List.of();
            case THROWAWAY -> List.of("fsync=off", "full_page_writes=off");
        };
    }
}
