package dev.tenantry;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsCheckTest {

    private static SettingsCheck check(Map<String, String> environment, Map<String, String> file) {
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .withSources(
                        new EnvConfigSource(environment, 300),
                        new PropertiesConfigSource(file, "settings of a test", 260))
                .build();
        return SettingsCheck.of(config, environment);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "TENANTRY_POOL_SIZE=abc        | can't be \"abc\", it takes a number from 1 to 10000",
                "TENANTRY_POOL_SIZE=0          | can't be \"0\", it takes a number from 1 to 10000",
                "TENANTRY_POOL_SIZE=10001      | can't be \"10001\", it takes a number from 1 to 10000",
                "TENANTRY_POOL_SIZE=99999999999 | can't be \"99999999999\", it takes a number from 1 to 10000",
                "TENANTRY_POOL_SIZE=           | is empty; leave it unset, or give it a number from 1 to 10000",
                "TENANTRY_POOL_MODE=statement  | can't be \"statement\", it takes session or transaction",
                "TENANTRY_MOVE_COMPARISON=all  | can't be \"all\", it takes none, counts or checksums",
                "TENANTRY_PROXY_TLS_NODE_MODE=allow | it takes disable, prefer, require, verify-ca or verify-full",
                "TENANTRY_PROXY_TLS_CLIENT_MODE=yes | it takes disable, allow or require",
                "TENANTRY_REBALANCE_AUTOMATIC=ture  | can't be \"ture\", it takes true or false",
                "TENANTRY_REBALANCE_IMBALANCE=0     | can't be \"0\", it takes a number from 0.01",
                "TENANTRY_REBALANCE_IMBALANCE=NaN   | can't be \"NaN\", it takes a number from 0.01",
                "TENANTRY_POOL_WAIT_TIMEOUT=soon    | it takes a time, for example 500ms, 30s or PT1H30M, not 0",
                "TENANTRY_MOVE_LOCK_MAX=PT0S        | it takes a time, for example 500ms, 30s or PT1H30M, not 0",
                "TENANTRY_POOL_CHECK_DELAY=PT-1S    | it takes a time, for example 500ms, 30s or PT1H30M",
                "TENANTRY_POOL_CHECK_DELAY=PT9000000000H | it takes a time, for example 500ms, 30s or PT1H30M",
                "TENANTRY_PORT=tcp://10.0.0.7:6432  | or set enableServiceLinks to false",
                "TENANTRY_HOST=                     | is empty; leave it unset, or give it text",
                "QUARKUS_HTTP_PORT=abc              | can't be \"abc\", it takes a number from 0 to 65535",
                "QUARKUS_HTTP_PORT=65536            | can't be \"65536\", it takes a number from 0 to 65535",
            })
    void namesTheVariableAndWhatItTakes(String setting, String sentence) {
        String name = setting.substring(0, setting.indexOf('='));
        String value = setting.substring(setting.indexOf('=') + 1);
        assertThat(check(Map.of(name, value), Map.of()).mistakes())
                .singleElement()
                .asString()
                .startsWith(name + " ")
                .endsWith(sentence);
    }

    @Test
    void takesWhatIsRight() {
        Map<String, String> environment = new HashMap<>(Map.of(
                "TENANTRY_POOL_SIZE", "10000",
                "TENANTRY_POOL_MODE", "SESSION",
                "TENANTRY_PROXY_TLS_NODE_MODE", "verify-full",
                "TENANTRY_REBALANCE_AUTOMATIC", "Yes",
                "TENANTRY_REBALANCE_IMBALANCE", "0.01",
                "TENANTRY_STOP_DELAY", "PT0S",
                "TENANTRY_COORDINATOR", "",
                "TENANTRY_WORKER", "a:1,b:2"));
        environment.put("TENANTRY_URL", "postgresql://u@h/d");
        environment.put("TENANTRY_JAVA_OPTS", "-Xmx1g");
        environment.put("PATH", "/bin");
        SettingsCheck check = check(environment, Map.of("tenantry.worker[0]", "c:3", "quarkus.http.port", "0"));
        assertThat(check.mistakes()).isEmpty();
        assertThat(check.unknown()).isEmpty();
    }

    @Test
    void refusesKeysThatAreNoneAndOnlyTellsOfVariables() {
        SettingsCheck check = check(
                Map.of("TENANTRY_POOL_WAITTIMEOUT", "PT1S", "TENANTRY_SERVICE_HOST", "10.0.0.7"),
                Map.of("tenantry.pool.siz", "3", "%prod.tenantry.prot", "4", "other.key", "5"));
        assertThat(check.mistakes())
                .containsExactly(
                        "there is no setting %prod.tenantry.prot (see docs/configuration.md)",
                        "there is no setting tenantry.pool.siz (see docs/configuration.md)");
        assertThat(check.unknown())
                .containsExactly(
                        "TENANTRY_POOL_WAITTIMEOUT is none of the settings and changes nothing"
                                + " (see docs/configuration.md)",
                        "TENANTRY_SERVICE_HOST is none of the settings and changes nothing"
                                + " (see docs/configuration.md)");
    }

    @Test
    void saysAllMistakesEachByItsKey() {
        assertThat(check(
                                Map.of(),
                                Map.of(
                                        "tenantry.port", "70000",
                                        "tenantry.pool.size", "${nothing.of.this.name}",
                                        "tenantry.host", "0.0.0.0"))
                        .mistakes())
                .hasSize(2)
                .contains("tenantry.port can't be \"70000\", it takes a number from 0 to 65535")
                .contains("tenantry.pool.size refers with ${...} to something that is not set");
    }

    @Test
    void everySettingSaysWhatItTakesAndTakesItsDefault() {
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .withMapping(AppConfig.class)
                .withMapping(ProxyConfig.class)
                .withMapping(ControlConfig.class)
                .build();
        List<Setting> settings = Setting.all();
        assertThat(settings).extracting(Setting::key).contains("tenantry.proxy.tls.key", "tenantry.port");
        assertThat(settings).allSatisfy(setting -> {
            assertThat(setting.values()).isNotBlank();
            String value = config.getConfigValue(setting.key()).getValue();
            assertThat(value == null ? setting.optional() : setting.takes(value, config))
                    .isTrue();
        });
    }
}
