package dev.tenantry.support;

import dev.tenantry.embedded.Superuser;
import java.util.LinkedHashMap;
import java.util.Map;

/** How the superuser that every test server has signs in, at a server or at a proxy. */
public final class SuperuserLogin {

    private SuperuserLogin() {}

    /** A session without TLS, with these start-up parameters beside those that say who it is. */
    public static RawClient at(String host, int port, Map<String, String> startup) {
        Superuser superuser = Superuser.DEFAULT;
        Map<String, String> all = new LinkedHashMap<>();
        all.put("user", superuser.name());
        all.put("database", superuser.database());
        all.putAll(startup);
        return RawClient.connect(host, port).signIn(RawClient.PROTOCOL_3_0, superuser.password(), all);
    }
}
