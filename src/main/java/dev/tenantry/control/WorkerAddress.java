package dev.tenantry.control;

import java.util.Optional;

/**
 * Where a worker is: {@code HOST:PORT}, the host in brackets when it has colons itself.
 *
 * @param former what it was when it was seen before, if that is known: it may have moved, or been removed
 * @param host where we and the coordinator reach it
 * @param port where we and the coordinator reach it
 */
public record WorkerAddress(Optional<Former> former, String host, int port) {

    private static final int PORT_MAX = 65_535;

    /**
     * A node that has been one before.
     *
     * @param nodeId its id then
     * @param port where it was then, on the same host
     */
    public record Former(int nodeId, int port) {}

    /** An address alone. */
    public WorkerAddress(String host, int port) {
        this(Optional.empty(), host, port);
    }

    /**
     * Reads {@code HOST:PORT}.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    public static WorkerAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon > 0) {
            String host = text.substring(0, colon).trim();
            String port = text.substring(colon + 1).trim();
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            if (!host.isEmpty() && port.matches("[0-9]{1,5}")) {
                int number = Integer.parseInt(port);
                if (number > 0 && number <= PORT_MAX) {
                    return new WorkerAddress(host, number);
                }
            }
        }
        throw new IllegalArgumentException("not a worker's address: \"" + text + "\" (use HOST:PORT)");
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
