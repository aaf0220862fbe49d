package dev.tenantry.catalog;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What a proxy must know of a role to let it in without asking the coordinator.
 *
 * @param name the role's name
 * @param canLogin whether it has LOGIN
 * @param superuser whether it is one
 * @param monitor whether it has the privileges of {@code pg_monitor}, by inheritance or as a superuser
 * @param verifier its password as {@code pg_authid} keeps it ({@code SCRAM-SHA-256$...}), if it has one
 * @param validUntil when the password ends to be valid, if ever
 * @param settings what ALTER ROLE and ALTER DATABASE SET give a new session of this role in the cluster's database,
 *     names in lower case, by PostgreSQL's precedence
 */
public record LoginRole(
        String name,
        boolean canLogin,
        boolean superuser,
        boolean monitor,
        Optional<String> verifier,
        Optional<Instant> validUntil,
        Map<String, String> settings) {}
