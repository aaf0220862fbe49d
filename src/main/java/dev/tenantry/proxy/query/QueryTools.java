package dev.tenantry.proxy.query;

import dev.tenantry.proxy.cluster.ClusterStatements;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;

/**
 * What the messages of one session's two query protocols are carried out with. Lives on the client's event loop.
 *
 * @param session the session's state
 * @param context what routing asks of it
 * @param statements where statements go
 * @param analyzer looks at their texts
 * @param dispatcher gets their backends ready
 * @param cluster carries out those that no node alone can
 * @param own answers those that are asked of the proxy itself
 */
public record QueryTools(
        Conversation session,
        SessionContext context,
        Statements statements,
        StatementAnalyzer analyzer,
        Dispatcher dispatcher,
        ClusterStatements cluster,
        OwnStatements own) {}
