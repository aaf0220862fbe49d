package dev.tenantry.proxy.server;

import dev.tenantry.proxy.cluster.ClusterServices;
import dev.tenantry.proxy.dispatch.PauseWaits;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import dev.tenantry.proxy.query.OwnStatements;
import dev.tenantry.proxy.query.StatementAnalyzer;

/**
 * What the sessions of one event loop share.
 *
 * @param cluster for statements on several nodes
 * @param analyzer of this event loop
 * @param limits what one session may use
 * @param metrics counts
 * @param own what the proxy tells of itself
 * @param pauses where sessions wait for the end of pauses
 */
record SharedServices(
        ClusterServices cluster,
        StatementAnalyzer analyzer,
        SessionLimits limits,
        ProxyMetrics metrics,
        OwnStatements.Sources own,
        PauseWaits pauses) {}
