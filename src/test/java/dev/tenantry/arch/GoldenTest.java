package dev.tenantry.arch;

import dev.tenantry.support.Golden;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Every generated file that is committed is the one that would be generated now. */
class GoldenTest {

    @Test
    void configurationReferenceNamesEveryKey() throws IOException {
        String text = new ConfigurationReference(SourceFile.under("src/main/java")).text();
        Golden.check(Path.of("docs/configuration.md"), text);
    }
}
