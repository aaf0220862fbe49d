package dev.tenantry.control.api;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what requests of several resources have in common; what can't be read is a problem of the request. */
final class RequestFields {

    private static final Set<String> MODES = Set.of("auto", "force_logical", "block_writes");

    private RequestFields() {}

    /** Citus's {@code shard_transfer_mode}; {@code auto} if not given. */
    static String transferMode(@Nullable String given) {
        String mode = given == null ? "auto" : given;
        if (!MODES.contains(mode)) {
            throw Problem.badParameter("Field \"shard_transfer_mode\" must be auto, force_logical or block_writes.");
        }
        return mode;
    }

    /** A text as PostgreSQL can have it. */
    static String text(String name, String given) {
        if (given.indexOf(0) >= 0) {
            throw Problem.badParameter("\"" + name + "\" must not hold the character of code zero.");
        }
        return given;
    }

    /** A parameter that is true, or false, which it also is when it is not given. */
    static boolean flag(String name, @Nullable String given) {
        if (given != null && !Set.of("true", "false").contains(given)) {
            throw Problem.badParameter("Parameter \"" + name + "\" must be true or false.");
        }
        return "true".equals(given);
    }

    /** The number in a path; what can't be one is not found. */
    static long number(String what, String id) {
        if (!id.matches("[0-9]{1,18}")) {
            throw unknown(what, id);
        }
        return Long.parseLong(id);
    }

    /** There is none with that number. */
    static RuntimeException unknown(String what, String id) {
        return Problem.notFound("There is no " + what + " " + id + ".");
    }
}
