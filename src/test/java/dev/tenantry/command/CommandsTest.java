package dev.tenantry.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandsTest {

    private final StringBuilder text = new StringBuilder();
    private final StringBuilder errors = new StringBuilder();

    private int run(String words, Map<String, String> environment) throws InterruptedException {
        Screen screen = new Screen(text::append, errors::append, false);
        return Commands.run(List.of(words.split(" +")), environment, screen);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "move a b                                    | --url is needed",
                "move a --url=postgresql://u@h/d             | say which schema is to go to which node",
                "move a b c --url=postgresql://u@h/d         | unknown word c",
                "move a b --mode slow                        | --mode is auto, force_logical, block_writes, not slow",
                "move a b --schemas                          | unknown option --schemas",
                "move a --cancel 5                           | --cancel takes the number of a move and nothing else",
                "move --cancel x                             | --cancel is a number",
                "move a b --url                              | --url needs a value",
                "move a b --url mysql://u@h/d                | an address is postgresql://",
                "status a --url=postgresql://u@h/d           | unknown word a",
                "rebalance --mode x --url=postgresql://u@h/d | --mode is auto",
            })
    void saysWhatIsWrongWithACommand(String words, String sentence) throws InterruptedException {
        assertThat(run(words, Map.of())).isEqualTo(Commands.EXIT_USAGE);
        assertThat(errors)
                .contains("tenantry " + words.substring(0, words.indexOf(" ")) + ": ")
                .contains(sentence);
        assertThat(text).isEmpty();
    }

    @Test
    void findsTheClusterInTheEnvironment() throws InterruptedException {
        // Port 1 of loopback takes no connection.
        assertThat(run("status", Map.of("TENANTRY_URL", "postgresql://u:secret@127.0.0.1:1/d")))
                .isEqualTo(Commands.EXIT_FAILED);
        assertThat(errors).contains("no connection to 127.0.0.1:1/d").doesNotContain("secret");
    }
}
