package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Schemas with names outside ASCII, for clients that do not speak UTF8. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class ClientEncodingIT {
    private static final int REPORTS_SEARCH_PATH = 18;

    private final Endpoint endpoint;

    ClientEncodingIT(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    @ParameterizedTest
    @CsvSource({"UTF8, UTF-8, é", "LATIN1, ISO-8859-1, é", "WIN1252, windows-1252, é€", "LATIN9, ISO-8859-15, €"})
    void findsTheSchemaThatItHasSet(String encoding, Charset charset, String letter) {
        String schema = newSchema(encoding + letter);
        try (RawClient client = endpoint.login()) {
            client.succeed("SET client_encoding = '" + encoding + "'");
            List<Message> answer = say(client, charset, "SET search_path = \"" + schema + "\"");
            assertThat(Message.types(answer)).isEqualTo(reportsPath() ? "CSZ" : "CZ");
            if (reportsPath()) {
                assertThat(new String(Message.only(answer, 'S').body(), charset))
                        .isEqualTo("search_path\0\"" + schema + "\"\0");
            }
            assertIsIn(client, charset, schema);
            client.succeed("BEGIN");
            client.succeed("SET LOCAL search_path = public");
            client.succeed("ROLLBACK");
            assertIsIn(client, charset, schema);
        }
    }

    @ParameterizedTest
    @CsvSource({"UTF8, UTF-8, é", "LATIN1, ISO-8859-1, é", "WIN1252, windows-1252, €"})
    void findsTheSchemaThatItHasSetTogetherWithTheEncoding(String encoding, Charset charset, String letter) {
        String schema = newSchema(encoding + letter);
        try (RawClient client = endpoint.login()) {
            say(
                    client,
                    StandardCharsets.UTF_8,
                    "SET client_encoding = '" + encoding + "'; SET search_path = \"" + schema + "\"");
            assertIsIn(client, charset, schema);
        }
    }

    @Test
    void reportsTheSchemaAtStartInTheClientsEncoding() {
        String schema = newSchema("é");
        try (RawClient client = endpoint.login("client_encoding", "LATIN1", "options", "-c search_path=" + schema)) {
            assertIsIn(client, StandardCharsets.ISO_8859_1, schema);
            if (reportsPath()) { // which the client reads as UTF8
                assertThat(client.parameters()).containsEntry("search_path", schema.replace('é', '\ufffd'));
            }
        }
    }

    private boolean reportsPath() {
        return endpoint.majorVersion() >= REPORTS_SEARCH_PATH;
    }

    private String newSchema(String what) {
        String schema = "enc_" + endpoint.name().toLowerCase(Locale.ROOT) + "_" + what + System.nanoTime();
        try (RawClient client = endpoint.login()) {
            endpoint.newSchema(client, schema);
            client.succeed("CREATE TABLE \"" + schema + "\".t AS SELECT 7 AS x");
        }
        return schema;
    }

    private static void assertIsIn(RawClient client, Charset charset, String schema) {
        List<Message> rows = say(client, charset, "SELECT x FROM t");
        assertThat(Message.said(rows)).doesNotContain("42P01");
        assertThat(Message.rows(rows)).containsExactly(List.of("7"));
        Message shown = Message.only(say(client, charset, "SELECT current_schema"), 'D');
        assertThat(new String(shown.body(), charset)).endsWith(schema);
    }

    private static List<Message> say(RawClient client, Charset charset, String sql) {
        return client.message(
                        'Q', new MessageWriter().bytes(sql.getBytes(charset)).int8(0))
                .readUntilReady();
    }
}
