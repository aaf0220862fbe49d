package dev.tenantry.routing;

/**
 * A clear no, before anything was done; the session turns it into an ErrorResponse.
 *
 * @param sqlState five characters
 * @param message one sentence in PostgreSQL's style: lower case, no full stop
 * @param detail full sentences
 * @param hint what to do, in full sentences
 */
public record Refusal(String sqlState, String message, String detail, String hint) {}
