package dev.tenantry.it.driver;

import dev.tenantry.support.Cluster;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** psycopg2 as Debian has it; what it does is in src/test/drivers/python. */
class Psycopg2IT {

    private static final String PYTHON = "/usr/bin/python3";

    /** What the program is to talk to. */
    String url() {
        return Cluster.shared().url();
    }

    @Test
    void servesTwoTenants() throws Exception {
        Assumptions.assumeTrue(
                Programs.find("python3").isPresent()
                        && Programs.run(List.of(PYTHON, "-c", "import psycopg2"))
                                        .status()
                                == 0,
                "python3-psycopg2 is not installed");
        Programs.run(List.of(PYTHON, "src/test/drivers/python/tenants.py", url(), "python_one", "python_two"))
                .expectSuccess();
    }
}
