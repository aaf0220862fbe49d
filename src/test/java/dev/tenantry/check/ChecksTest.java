package dev.tenantry.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.client.Encryption;
import dev.tenantry.client.ServerAddress;
import dev.tenantry.proxy.net.TlsSettings.NodeMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChecksTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "check-isolation --seed 1                       | --url is needed",
                "check-isolation --url=postgresql://h/d         | an address is postgresql://",
                "check-isolation --url=postgresql://u@h/d --x=1 | unknown option --x",
                "check-isolation --url=postgresql://u@h/d x     | unknown word x",
                "check-isolation --url=postgresql://u@h/d --clients 0 | --clients is a number from 1 to 1000, not 0",
                "check-isolation --url=postgresql://u@h/d --seconds x | --seconds is a number",
                "check-bank --seed 1                            | --url is needed",
                "check-bank --url=postgresql://u@h/d --url x    | an address is postgresql://",
                "check-bank --url=postgresql://u@h/d --kill nodes,x | --kill is some of nodes,proxies,backends",
                "check-bank --url=postgresql://u@h/d --accounts 1 | --accounts is a number from 2 to 10000, not 1",
            })
    void saysWhatIsWrongWithACommand(String words, String sentence) throws InterruptedException {
        StringBuilder said = new StringBuilder();
        assertThat(Checks.run(List.of(words.split(" +")), said::append)).isEqualTo(Checks.EXIT_USAGE);
        assertThat(said)
                .startsWith("tenantry " + words.substring(0, words.indexOf(' ')) + ": ")
                .contains(sentence);
    }

    @Test
    void readsAddressesAsTheReadyLineHasThem() {
        assertThat(ServerAddress.parse("postgresql://u:p%40w@[::1]:7/d"))
                .isEqualTo(new ServerAddress("::1", 7, "d", "u", "p@w"));
        assertThat(ServerAddress.parse("postgres://u@h/d")).isEqualTo(new ServerAddress("h", 5432, "d", "u", ""));
    }

    @ParameterizedTest
    @CsvSource({
        "'',PREFER,",
        "sslmode=disable,DISABLE,",
        "sslmode=prefer,PREFER,",
        "sslmode=require,REQUIRE,",
        "sslmode=require&sslrootcert=/a%20b,VERIFY_CA,/a b",
        "sslrootcert=c&sslmode=verify-ca,VERIFY_CA,c",
        "sslmode=verify-full&sslrootcert=c,VERIFY_FULL,c"
    })
    void readsHowAConnectionIsEncrypted(String parameters, NodeMode mode, @Nullable String roots) {
        ServerAddress address = ServerAddress.parse("postgresql://u:p@h/d?" + parameters);
        assertThat(address.encryption())
                .isEqualTo(new Encryption(mode, Optional.ofNullable(roots).map(Path::of)))
                .isEqualTo(address.as("v", "q").at("i", 1).encryption());
    }

    @ParameterizedTest
    @CsvSource({
        "sslmode=allow,'sslmode is disable, prefer, require, verify-ca or verify-full, not allow; take prefer'",
        "sslmode=verify-full&sslrootcert=system,'sslrootcert=system is not supported; name a PEM file'",
        "sslmode=verify-full,sslmode=verify-full needs sslrootcert",
        "sslmode=,not ",
        "host=h,'sslmode and sslrootcert, not host'"
    })
    void refusesOtherParametersOfAnAddress(String parameters, String sentence) {
        assertThatThrownBy(() -> ServerAddress.parse("postgresql://u:p@h/d?" + parameters))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "h",
                "mysql://u@h/d",
                "postgresql://h/d",
                "postgresql://u@h",
                "postgresql://u:secret@h/d?x=1",
                "postgresql://u:secret%@h/d",
                "postgresql://u:secret@h/d?sslmode=%x"
            })
    void showsNoPasswordOfAWrongAddress(String url) {
        assertThatThrownBy(() -> ServerAddress.parse(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("secret");
    }
}
