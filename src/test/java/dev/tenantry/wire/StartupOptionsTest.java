package dev.tenantry.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.wire.StartupOptions.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StartupOptionsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, textBlock = """
            -c search_path=a|search_path|a
              -c   search_path=a  |search_path|a
            -csearch_path=a|search_path|a
            --search-path=a|search_path|a
            -c search-path=a-b|search_path|a-b
            --search_path=a=b|search_path|a=b
            -c search_path=|search_path|
            -c a.b=x\\ y\\\\z|a.b|x y\\z
            -c a="b"|a|"b"
            -c a=-c|a|-c
            \\-c a=b|a|b
            -Eca=b|a|b
            -e|datestyle|euro
            -F|fsync|false
            -S 4MB|work_mem|4MB
            -fs|enable_seqscan|false
            -f hashy|enable_hashjoin|false
            -tpa|log_parser_stats|true
            -t pl|log_planner_stats|true
            -t executor|log_executor_stats|true
            """)
    void readsSettingsInEverySpelling(String text, String name, String value) {
        assertThat(StartupOptions.parse(text).settings())
                .containsExactly(new Setting(name, value == null ? "" : value));
    }

    @Test
    void keepsOrderAndOtherSwitches() {
        StartupOptions options = StartupOptions.parse("-c a=1 -d 5 --B=2 -n -c a=3");
        assertThat(options.settings())
                .containsExactly(new Setting("a", "1"), new Setting("B", "2"), new Setting("a", "3"));
        assertThat(options.settings().get(1).key()).isEqualTo("b");
        assertThat(options.otherSwitches()).containsExactly("-d", "5", "-n");
    }

    @Test
    void takesEveryKindOfBlankAsSeparator() {
        assertThat(StartupOptions.split("a\tb\nc\u000Bd\fe\rf g\u00A0h"))
                .containsExactly("a", "b", "c", "d", "e", "f", "g\u00A0h");
    }

    @Test
    void dropsBackslashAtTheEnd() {
        assertThat(StartupOptions.split("a\\")).containsExactly("a");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            -c search_path|-c search_path requires a value
            --search_path|--search_path requires a value
            -z|invalid command-line argument for server process: -z
            -c|invalid command-line argument for server process: -c
            a=b|invalid command-line argument for server process: a=b
            -c a=b rest|invalid command-line argument for server process: rest
            -- -c a=b|invalid command-line argument for server process: -c
            -|invalid command-line argument for server process: -
            -f z|invalid command-line argument for server process: z
            -tz|invalid command-line argument for server process: -tz
            -Ew x|invalid command-line argument for server process: -Ew
            -Ewx|invalid command-line argument for server process: postgres
            -e -Ewx|invalid command-line argument for server process: -e
            """)
    void refusesWhatTheServerRefuses(String text, String message) {
        assertThatThrownBy(() -> StartupOptions.parse(text))
                .isInstanceOfSatisfying(ProtocolViolation.class, violation -> {
                    assertThat(violation.sqlState()).isEqualTo("42601");
                    assertThat(violation).hasMessage(message);
                });
    }

    @Test
    void putsDefaultsInFrontOfTheClientsOwn() {
        List<Setting> defaults = List.of(new Setting("tenantry.node", ""), new Setting("x.y", "a b\\c"));
        assertThat(StartupOptions.append(defaults, "")).isEqualTo("-c tenantry.node= -c x.y=a\\ b\\\\c");
        assertThat(StartupOptions.append(defaults, "-c a=b")).endsWith(" -c a=b");
        assertThat(StartupOptions.append(List.of(), "-c  a=b")).isEqualTo("-c  a=b");
        assertThat(StartupOptions.parse(StartupOptions.append(defaults, "-c tenantry.node=n1"))
                        .settings())
                .containsExactly(defaults.get(0), defaults.get(1), new Setting("tenantry.node", "n1"));
    }

    @Test
    void readsBackWhatItWrote() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        String alphabet = "ab \\\t\"'=-,é.$";
        for (int round = 0; round < 5_000; round++) {
            List<Setting> settings = new ArrayList<>();
            for (int i = 0; i < random.nextInt(4); i++) {
                StringBuilder value = new StringBuilder();
                random.ints(random.nextInt(8), 0, alphabet.length()).forEach(at -> value.append(alphabet.charAt(at)));
                settings.add(new Setting("n" + i, value.toString()));
            }
            StartupOptions options = new StartupOptions(settings, List.of("-d", "5"));
            assertThat(StartupOptions.parse(options.format()))
                    .as("seed %d", seed)
                    .isEqualTo(options);
        }
    }
}
