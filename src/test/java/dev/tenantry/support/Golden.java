package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that are generated and committed: a test makes the text anew and fails when the file is another. */
public final class Golden {

    private static final boolean UPDATE = "update".equals(System.getProperty("golden"));

    private Golden() {}

    /** Compares the file with the text; with {@code -Dgolden=update} writes it instead. */
    public static void check(Path file, String text) throws IOException {
        if (UPDATE) {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, text);
            return;
        }
        String committed = Files.exists(file) ? Files.readString(file) : "";
        assertThat(committed)
                .as("%s is stale; run this test again with -Dgolden=update", file)
                .isEqualTo(text);
    }
}
