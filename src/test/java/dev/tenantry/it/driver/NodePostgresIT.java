package dev.tenantry.it.driver;

import dev.tenantry.support.Cluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** node-postgres; what it does is in src/test/drivers/node. */
class NodePostgresIT {

    private static final Path FOLDER = Path.of("src/test/drivers/node");

    /** What the program is to talk to. */
    String url() {
        return Cluster.shared().url();
    }

    @Test
    void servesTwoTenants() throws Exception {
        run("tenants.mjs");
    }

    @Test
    void servesPools() throws Exception {
        run("pools.mjs");
    }

    private void run(String program) throws Exception {
        Assumptions.assumeTrue(
                Programs.find("node").isPresent() && Programs.find("npm").isPresent(),
                "node and npm are not installed");
        if (!Files.isDirectory(FOLDER.resolve("node_modules"))) {
            Programs.Ended installed = Programs.run(FOLDER, Map.of(), "", List.of("npm", "ci"));
            Assumptions.assumeTrue(installed.status() == 0, () -> "npm can't install: " + installed.output());
        }
        Programs.run(FOLDER, Map.of(), "", List.of("node", program, url(), "node_one", "node_two"))
                .expectSuccess();
    }
}
