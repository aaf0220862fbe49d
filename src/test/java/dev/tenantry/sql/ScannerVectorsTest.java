package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tenantry.sql.StatementAction.SetVariable;
import dev.tenantry.sql.StatementAction.SettingValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The scanner against PostgreSQL's own grammar: vectors.jsonl, made by src/test/vectors/generate.mjs. */
class ScannerVectorsTest {

    private static final SqlScanner SCANNER = new SqlScanner();

    @Test
    void agreesWithPostgresqlsGrammar() {
        List<String> differences = new ArrayList<>();
        List<JsonNode> vectors = vectors();
        for (JsonNode vector : vectors) {
            String sql = vector.get("sql").asText();
            boolean boundariesOnly = vector.get("boundariesOnly").asBoolean();
            String expected = boundaries(boundariesOnly, expected(vector.get("statements")));
            String found = boundaries(boundariesOnly, found(sql));
            if (!found.equals(expected)) {
                differences.add("\n" + sql + "\n  expected " + expected + "\n  found    " + found);
            }
        }
        assertThat(vectors).hasSizeGreaterThan(5000);
        assertThat(differences).isEmpty();
    }

    /** Kind and position of each statement, without its names. */
    private static String boundaries(boolean only, String lines) {
        return only ? lines.replaceAll("(?m)(\\d+-\\d+) .*$", "$1") : lines;
    }

    static List<JsonNode> vectors() {
        ObjectMapper json = new ObjectMapper();
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(ScannerVectorsTest.class.getResourceAsStream("vectors.jsonl")),
                StandardCharsets.UTF_8))) {
            List<JsonNode> vectors = new ArrayList<>();
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                vectors.add(json.readTree(line));
            }
            return vectors;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String expected(JsonNode statements) {
        List<String> lines = new ArrayList<>();
        for (JsonNode one : statements) {
            lines.add(one.get("kind").asText() + " " + one.get("start").asInt() + "-"
                    + one.get("end").asInt() + " " + strings(one.get("schemas"))
                    + flags(one.get("relation").asBoolean(), one.get("other").asBoolean())
                    + one.get("catalog").asText() + " " + strings(one.get("tenantry")) + " {"
                    + one.get("action").asText() + "}");
        }
        return String.join("\n           ", lines);
    }

    private static String found(String sql) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        return SCANNER.scan(bytes, 0, bytes.length, LexicalRules.DEFAULT).stream()
                .map(facts -> facts.kind() + " " + facts.start() + "-" + facts.end() + " "
                        + facts.schemas().stream().sorted().toList()
                        + flags(facts.unqualifiedRelation(), facts.unqualifiedOther())
                        + facts.catalogUse() + " " + tenantryNames(facts) + " {" + action(facts.action()) + "}")
                .collect(Collectors.joining("\n           "));
    }

    private static String flags(boolean relation, boolean other) {
        return (relation ? " relation" : "") + (other ? " other " : " ");
    }

    private static List<String> tenantryNames(StatementFacts facts) {
        return facts.tenantryNames().stream()
                .map(StatementFacts.TenantryName::name)
                .distinct()
                .sorted()
                .toList();
    }

    private static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(item -> strings.add(item.asText()));
        return strings.stream().sorted().toList();
    }

    private static String action(StatementAction action) {
        return switch (action) {
            case StatementAction.None() -> "";
            case SetVariable set -> "set" + (set.local() ? " local " : " ") + set.name() + " = " + value(set.value());
            case StatementAction.ResetVariable(String name, boolean local) ->
                "reset" + (local ? " local " : " ") + name;
            case StatementAction.ResetAll() -> "reset all";
            case StatementAction.SessionCharacteristics(List<SetVariable> settings) ->
                settings.stream()
                        .map(set -> set.name() + " = " + value(set.value()))
                        .collect(Collectors.joining("; "));
            case StatementAction.Begin begin -> begin.startTransaction() ? "start" : "begin";
            case StatementAction.SetTransaction modes -> "";
            case StatementAction.Commit(boolean chain) -> "commit" + (chain ? " chain" : "");
            case StatementAction.Rollback(boolean chain) -> "rollback" + (chain ? " chain" : "");
            case StatementAction.Savepoint(String name) -> "savepoint " + name;
            case StatementAction.Release(String name) -> "release " + name;
            case StatementAction.RollbackTo(String name) -> "rollback to " + name;
            case StatementAction.PrepareTransaction(String gid) -> "prepare transaction " + gid;
            case StatementAction.FinishPrepared(String gid) -> "finish prepared " + gid;
            case StatementAction.Prepare(String name) -> "prepare " + name;
            case StatementAction.Execute execute -> "execute " + execute.name();
            case StatementAction.Deallocate deallocate ->
                "deallocate " + deallocate.name().orElse("all");
            case StatementAction.DeclareCursor(String name) -> "declare " + name;
            case StatementAction.OnCursor(Optional<String> name) ->
                name.map(cursor -> "on cursor " + cursor).orElse("on all cursors");
            case StatementAction.Discard discard ->
                "discard " + discard.target().name().toLowerCase(java.util.Locale.ROOT);
            case StatementAction.CreateSchema create ->
                "create schema " + create.name() + (create.ifNotExists() ? " if not exists" : "")
                        + (create.authorization().isPresent() ? " authorization" : "");
            case StatementAction.DropSchema drop ->
                "drop schema " + String.join(",", drop.names()) + (drop.ifExists() ? " if exists" : "")
                        + (drop.cascade() ? " cascade" : "");
            case StatementAction.RenameSchema(String name, String newName) -> "rename schema " + name + " " + newName;
            case StatementAction.AlterSchemaOwner(String name) -> "owner of schema " + name;
            case StatementAction.OnSchemas on -> "on schemas " + String.join(",", on.names());
            case StatementAction.EveryNode every -> "";
            case StatementAction.SharedInBlock(String words) -> "shared " + words;
            case StatementAction.ExplainRoute explain -> "explain " + explain.kind();
            case StatementAction.ShowActivity show -> "show " + show.subject();
        };
    }

    private static String value(SettingValue value) {
        return switch (value) {
            case SettingValue.Text(String text) -> text;
            case SettingValue.StatementOnly() -> "?";
        };
    }
}
