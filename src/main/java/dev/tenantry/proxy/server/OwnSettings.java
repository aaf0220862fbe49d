package dev.tenantry.proxy.server;

import dev.tenantry.catalog.LoginRole;
import dev.tenantry.proxy.session.SettingValues;
import dev.tenantry.wire.StartupOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What settings that only exist here are when nobody has set them. Nodes are told at the start of each connection, so
 * that SHOW and {@code current_setting} find them.
 *
 * @param shared whether sessions share connections, unless they are told otherwise
 */
record OwnSettings(boolean shared) {

    /** What nodes are sent before the client's own options; what the role has is said too, or ours would hide it. */
    String options(LoginRole role, String asked) {
        return StartupOptions.append(
                defaults().stream()
                        .map(setting -> new StartupOptions.Setting(
                                setting.name(), role.settings().getOrDefault(setting.name(), setting.value())))
                        .toList(),
                asked);
    }

    /** The part of the options that nodes are sent for which the client has asked. */
    String askedOptions(LoginRole role, String options) {
        String ours = options(role, "");
        return options.startsWith(ours) ? options.substring(ours.length()).strip() : options;
    }

    /** What a connection has that is not asked for anything: these, and the role's settings. */
    Map<String, String> ofConnection(LoginRole role) {
        Map<String, String> settings = new HashMap<>();
        defaults().forEach(setting -> settings.put(setting.name(), setting.value()));
        settings.putAll(role.settings());
        return settings;
    }

    private List<StartupOptions.Setting> defaults() {
        return List.of(
                new StartupOptions.Setting(SettingValues.SHARDING, "on"),
                new StartupOptions.Setting("tenantry.node", ""),
                new StartupOptions.Setting(SettingValues.POOL_MODE, SettingValues.poolMode(shared)));
    }
}
