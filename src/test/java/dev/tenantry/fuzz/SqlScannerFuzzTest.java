package dev.tenantry.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SqlScanner;
import dev.tenantry.sql.StatementFacts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The scanner takes any bytes: it ends, throws nothing, and cuts the same pieces again. */
class SqlScannerFuzzTest {

    private static final int ROUNDS = 60_000;
    private static final byte[] SPECIAL = ("'\"$$();:=.,*/-+[]%eEuU&xXnNbB\\0123456789\n\r\t \u0000 é"
                    + "select from begin atomic end create function as with by set ; ; ' \" $x$ /* */ -- \n")
            .getBytes(StandardCharsets.UTF_8);

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final SqlScanner scanner = new SqlScanner();

    @Test
    void takesRandomBytes() {
        for (int round = 0; round < ROUNDS; round++) {
            byte[] text = new byte[random.nextInt(120)];
            for (int i = 0; i < text.length; i++) {
                text[i] = random.nextInt(4) == 0 ? (byte) random.nextInt(256) : SPECIAL[random.nextInt(SPECIAL.length)];
            }
            check(text);
        }
    }

    @Test
    void takesDamagedStatements() throws IOException {
        List<byte[]> corpus = corpus();
        for (int round = 0; round < ROUNDS; round++) {
            byte[] text = corpus.get(random.nextInt(corpus.size())).clone();
            for (int damage = random.nextInt(5); damage >= 0 && text.length > 1; damage--) {
                text = damaged(text, corpus);
            }
            check(text);
        }
    }

    @Test
    void takesDeepNesting() {
        for (String opening : List.of("(", "select (", "[", "case when (", "with a as (select ", "/*", "f(")) {
            byte[] text = opening.repeat(50_000).getBytes(StandardCharsets.UTF_8);
            org.junit.jupiter.api.Assertions.assertTimeoutPreemptively(Duration.ofSeconds(20), () -> check(text));
        }
    }

    private byte[] damaged(byte[] text, List<byte[]> corpus) {
        int at = random.nextInt(text.length);
        switch (random.nextInt(4)) {
            case 0 -> text[at] = SPECIAL[random.nextInt(SPECIAL.length)];
            case 1 -> {
                return Arrays.copyOf(text, at);
            }
            case 2 -> {
                byte[] other = corpus.get(random.nextInt(corpus.size()));
                byte[] joined = Arrays.copyOf(text, at + other.length);
                System.arraycopy(other, 0, joined, at, other.length);
                return joined;
            }
            default -> {
                return Arrays.copyOfRange(text, at, text.length);
            }
        }
        return text;
    }

    private void check(byte[] text) {
        LexicalRules rules =
                random.nextBoolean() ? LexicalRules.DEFAULT : new LexicalRules(false, StandardCharsets.ISO_8859_1);
        try {
            int previous = 0;
            for (StatementFacts facts : scanner.scan(text, 0, text.length, rules)) {
                assertThat(facts.start()).isGreaterThanOrEqualTo(previous);
                assertThat(facts.end()).isBetween(facts.start() + 1, text.length);
                previous = facts.end();
                List<StatementFacts> again = scanner.scan(text, facts.start(), facts.end() - facts.start(), rules);
                assertThat(again).hasSize(1);
                assertThat(again.getFirst().kind()).isEqualTo(facts.kind());
                assertThat(again.getFirst().schemas()).isEqualTo(facts.schemas());
            }
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed + ", text " + Arrays.toString(text), e);
        }
    }

    private static List<byte[]> corpus() throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(SqlScanner.class.getResourceAsStream("vectors.jsonl")),
                StandardCharsets.UTF_8))) {
            return reader.lines()
                    .map(line -> line.substring(8, line.indexOf("\",\"boundariesOnly\"")))
                    .map(sql -> sql.replace("\\n", "\n").replace("\\\"", "\"").getBytes(StandardCharsets.UTF_8))
                    .toList();
        }
    }
}
