package dev.tenantry.control.node;

import java.util.List;

/** A server can't be the coordinator as it is; trying again is of no use before somebody has changed it. */
public final class NodeUnfitException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** With everything it lacks. */
    public NodeUnfitException(String server, List<Lack> lacks) {
        super(text(server, lacks));
    }

    private static String text(String server, List<Lack> lacks) {
        StringBuilder text = new StringBuilder("server " + server + " cannot be the coordinator");
        for (Lack lack : lacks) {
            text.append("\n  - ").append(lack.problem()).append(": ").append(lack.detail());
            text.append("\n    ").append(lack.hint());
        }
        return text.toString();
    }

    /** One thing a server lacks, why that is needed, and what to do. */
    public record Lack(String problem, String detail, String hint) {}
}
