package dev.tenantry.proxy.server;

import dev.tenantry.proxy.session.SessionBackends;
import java.util.Map;

/**
 * How a session begins.
 *
 * @param user the role that signed in
 * @param startupSettings settings that its connections begin with, as far as the proxy knows them
 * @param begunSettings settings that it begins with beyond these: see {@code SessionSettings}
 * @param backends where its connections are kept
 */
record SessionOpening(
        String user,
        Map<String, String> startupSettings,
        Map<String, String> begunSettings,
        SessionBackends backends) {}
