package dev.tenantry.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostmasterFileTest {

    @TempDir
    private Path folder;

    @Test
    void readsProcessAndState() throws IOException {
        write("6928\n/data\n1795298349\n21999\n\n127.0.0.1\n  2163045        57\nready   \n");
        assertThat(PostmasterFile.read(folder)).contains(new PostmasterFile(6928, true));
    }

    @Test
    void isReadyWhenAStandbyTakesConnections() throws IOException {
        write("6928\n/data\n1795298349\n21999\n\n127.0.0.1\n  2163045        57\nstandby \n");
        assertThat(PostmasterFile.read(folder)).contains(new PostmasterFile(6928, true));
    }

    @Test
    void isNotReadyWhileStarting() throws IOException {
        write("6928\n/data\n1795298349\n21999\n\n127.0.0.1\n  2163045        57\nstarting\n");
        assertThat(PostmasterFile.read(folder)).contains(new PostmasterFile(6928, false));
    }

    @Test
    void isNotReadyWhileHalfWritten() throws IOException {
        write("6928\n/da");
        assertThat(PostmasterFile.read(folder)).contains(new PostmasterFile(6928, false));
    }

    @Test
    void isNothingWhenThereIsNoneOrItIsEmpty() throws IOException {
        assertThat(PostmasterFile.read(folder)).isEmpty();
        write("");
        assertThat(PostmasterFile.read(folder)).isEmpty();
        write("rubbish\n");
        assertThat(PostmasterFile.read(folder)).isEmpty();
    }

    private void write(String content) throws IOException {
        Files.writeString(folder.resolve("postmaster.pid"), content);
    }
}
