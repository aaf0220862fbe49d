package dev.tenantry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {

    @Test
    void givesEveryOptionItsConfigurationKey() {
        assertThat(parse("up --workers 3 --data /d --port=7000 --http-port 7001 --pg-bin /b"))
                .isEqualTo(new CommandLine.Up(Map.of(
                        "tenantry.embedded.workers", "3",
                        "tenantry.embedded.data", "/d",
                        "tenantry.port", "7000",
                        "quarkus.http.port", "7001",
                        "tenantry.embedded.pg-bin", "/b")));
    }

    @Test
    void collectsWorkersOfAnExistingCluster() {
        assertThat(parse("up --worker a:1 --coordinator postgresql://u:p@h/d --worker b:2"))
                .isEqualTo(new CommandLine.Up(
                        Map.of("tenantry.coordinator", "postgresql://u:p@h/d", "tenantry.worker", "a:1,b:2")));
    }

    @Test
    void takesNoOptionsAsUp() {
        assertThat(CommandLine.parse(List.of())).isEqualTo(new CommandLine.Up(Map.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"help", "--help", "-h", "up --port 1 --help"})
    void explainsItself(String words) {
        assertThat(parse(words)).isEqualTo(new CommandLine.Help());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "up --wrokers 2                             | unknown option --wrokers",
                "down                                       | unknown option down",
                "up --port                                  | --port needs a value",
                "up --port 0                                | --port is a port from 1 to 65535, not 0",
                "up --port 65536                            | --port is a port from 1 to 65535, not 65536",
                "up --port x                                | --port is a port from 1 to 65535, not x",
                "up --workers -1                            | --workers is a number from 0 to 64, not -1",
                "up --workers 65                            | --workers is a number from 0 to 64, not 65",
                "up --coordinator postgresql://h --worker h | --worker is HOST:PORT, not h",
                "up --data=                                 | --data needs a value",
            })
    void saysWhatIsWrong(String words, String sentence) {
        assertThat(parse(words)).isEqualTo(new CommandLine.Wrong(sentence));
    }

    @Test
    void refusesWorkersOfNoCluster() {
        assertThat(parse("up --worker a:1"))
                .isInstanceOfSatisfying(
                        CommandLine.Wrong.class,
                        wrong -> assertThat(wrong.sentence()).contains("needs --coordinator"));
    }

    @Test
    void refusesEmbeddedOptionsForExistingServers() {
        assertThat(parse("up --coordinator postgresql://h --workers 2"))
                .isInstanceOfSatisfying(
                        CommandLine.Wrong.class,
                        wrong -> assertThat(wrong.sentence()).contains("existing servers"));
    }

    private static CommandLine parse(String words) {
        return CommandLine.parse(List.of(words.split(" ")));
    }
}
