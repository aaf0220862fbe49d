package dev.tenantry.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class LauncherTest {

    private static final Command DONE = new Command(0, "");
    private static final Command FAILED = new Command(1, "");

    @Test
    void ordinaryUserStartsServersAsHimself() {
        assertThat(Launcher.detect(false, words -> FAILED)).isEqualTo(new Launcher.AsIs());
    }

    @Test
    void rootStartsServersInAUserNamespace() {
        assertThat(Launcher.detect(true, words -> words.getFirst().equals("unshare") ? DONE : FAILED)
                        .command(List.of("postgres")))
                .containsExactly("unshare", "-U", "postgres");
    }

    @Test
    void rootWithoutNamespacesStartsServersAsAnotherUser() {
        assertThat(Launcher.detect(true, words -> answer(words, "nobody")))
                .isEqualTo(new Launcher.AsUser("nobody", "65534"));
        assertThat(Launcher.detect(true, words -> answer(words, "postgres")))
                .isEqualTo(new Launcher.AsUser("postgres", "65534"));
    }

    private static Command answer(List<String> words, String existingUser) {
        if (words.equals(List.of("id", "-g", existingUser))) {
            return new Command(0, "65534");
        }
        return words.contains("--reuid=" + existingUser) ? DONE : FAILED;
    }

    @Test
    void rootWithoutAnyWaySaysSo() {
        assertThatThrownBy(() -> Launcher.detect(true, words -> FAILED))
                .isInstanceOf(EmbeddedException.class)
                .hasMessageContaining("ordinary user");
    }

    @Test
    void serversGetASessionOfTheirOwn() {
        assertThat(new Launcher.AsIs().detached(List.of("postgres"))).containsExactly("setsid", "postgres");
    }
}
