package dev.tenantry.activity;

import org.jspecify.annotations.Nullable;

/**
 * The connections to a node that sessions of one kind can use, those whose roles and start-up parameters are equal.
 *
 * @param node the node's name
 * @param role the sessions' role
 * @param parameters their start-up parameters, but for role and database
 * @param size how many connections there are
 * @param used how many of them sessions hold
 * @param idle how many of them no session holds
 * @param waiting how many sessions wait for one
 * @param longestWaitMs how long the first of those has waited, ms
 * @param nodeSizeMax how many connections to the node this proxy may have for all roles together, if there is a limit
 */
public record PoolActivity(
        String node,
        String role,
        String parameters,
        long size,
        long used,
        long idle,
        long waiting,
        long longestWaitMs,
        @Nullable Long nodeSizeMax) {}
