package dev.tenantry.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class LauncherTest {

    @Test
    void ordinaryUserStartsServersAsHimself() {
        assertThat(Launcher.detect(false, words -> false)).isEqualTo(new Launcher.AsIs());
    }

    @Test
    void rootStartsServersInAUserNamespace() {
        assertThat(Launcher.detect(true, words -> words.getFirst().equals("unshare"))
                        .command(List.of("postgres")))
                .containsExactly("unshare", "-U", "postgres");
    }

    @Test
    void rootWithoutNamespacesStartsServersAsAnotherUser() {
        assertThat(Launcher.detect(true, words -> words.contains("--reuid=nobody")))
                .isEqualTo(new Launcher.AsUser("nobody"));
        assertThat(Launcher.detect(true, words -> words.getFirst().equals("setpriv")))
                .isEqualTo(new Launcher.AsUser("postgres"));
    }

    @Test
    void rootWithoutAnyWaySaysSo() {
        assertThatThrownBy(() -> Launcher.detect(true, words -> false))
                .isInstanceOf(EmbeddedException.class)
                .hasMessageContaining("ordinary user");
    }

    @Test
    void serversGetASessionOfTheirOwn() {
        assertThat(new Launcher.AsIs().detached(List.of("postgres"))).containsExactly("setsid", "postgres");
    }
}
