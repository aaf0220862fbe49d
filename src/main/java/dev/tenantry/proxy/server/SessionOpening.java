package dev.tenantry.proxy.server;

import dev.tenantry.proxy.session.SessionBackends;
import java.util.Map;

/**
 * How a session begins.
 *
 * @param user the role that signed in
 * @param startupSettings settings it begins with, as far as the proxy knows them: its role's and its own
 * @param backends where its connections are kept
 */
record SessionOpening(String user, Map<String, String> startupSettings, SessionBackends backends) {}
