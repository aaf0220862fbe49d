package dev.tenantry.proxy.server;

/**
 * What one session may use.
 *
 * @param queryLengthMax bytes of a Query, Parse or Bind message that are looked at as a whole; of a longer one the
 *     first part decides where it goes, and all of it streams there
 */
public record SessionLimits(int queryLengthMax) {}
