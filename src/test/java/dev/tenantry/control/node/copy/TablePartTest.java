package dev.tenantry.control.node.copy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TablePartTest {

    private static final long PART = 1000;

    private static List<TablePart> parts(long bytes, long pages) {
        return TablePart.of("t", List.of("id", "a b"), false, new TableSize(bytes, pages), PART);
    }

    @Test
    void copiesSmallTableWhole() {
        assertThat(parts(999, 3))
                .containsExactly(new TablePart("t", List.of("id", "a b"), false, 0, TablePart.END, 999));
        assertThat(parts(0, 0)).hasSize(1);
        assertThat(parts(999, 3).getFirst().copyTo("s")).isEqualTo("COPY \"s\".\"t\" (\"id\", \"a b\") TO STDOUT");
        assertThat(parts(999, 3).getFirst().copyFrom("s")).isEqualTo("COPY \"s\".\"t\" (\"id\", \"a b\") FROM STDIN");
    }

    @Test
    void dividesLargeTableIntoPartsThatMeet() {
        List<TablePart> parts = parts(3500, 10);
        assertThat(parts).hasSize(4);
        long next = 0;
        for (TablePart part : parts) {
            assertThat(part.firstPage()).isEqualTo(next);
            next = part.endPage();
        }
        assertThat(next).as("whatever the table grows by").isEqualTo(TablePart.END);
        assertThat(parts.get(1).copyTo("s"))
                .isEqualTo("COPY (SELECT \"id\", \"a b\" FROM ONLY \"s\".\"t\" WHERE ctid >= '(2,0)'::tid"
                        + " AND ctid < '(5,0)'::tid) TO STDOUT");
        assertThat(parts.getLast().copyTo("s"))
                .isEqualTo("COPY (SELECT \"id\", \"a b\" FROM ONLY \"s\".\"t\" WHERE ctid >= '(7,0)'::tid) TO STDOUT");
    }

    @Test
    void copiesInBinary() {
        List<TablePart> parts = TablePart.of("t", List.of("id"), true, new TableSize(2 * PART, 2), PART);
        assertThat(parts).allSatisfy(part -> assertThat(part.copyTo("s")).endsWith(" TO STDOUT (FORMAT binary)"));
        assertThat(parts.getFirst().copyFrom("s")).isEqualTo("COPY \"s\".\"t\" (\"id\") FROM STDIN (FORMAT binary)");
    }

    @Test
    void hasNoMorePartsThanPagesWhereMostIsStoredApart() {
        assertThat(parts(1_000_000, 2)).hasSize(2);
    }

    @Test
    void copiesRowsWithoutColumns() {
        TablePart part =
                TablePart.of("t", List.of(), false, new TableSize(10, 1), PART).getFirst();
        assertThat(part.copyTo("s")).isEqualTo("COPY \"s\".\"t\" TO STDOUT");
        assertThat(part.copyFrom("s")).isEqualTo("COPY \"s\".\"t\" FROM STDIN");
    }
}
