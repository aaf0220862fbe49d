package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StepsTest {

    private long oids;

    @Test
    void putsNeighboursOfOneTableEachIntoOneStep() {
        assertThat(steps(index(), index(), index())).containsExactly(1, 1, 1);
    }

    @Test
    void putsWhatNeedsAnotherIntoLaterStep() {
        Piece first = index();
        assertThat(steps(first, index(), index().requires(first.key()), index()))
                .containsExactly(1, 1, 2, 2);
    }

    @Test
    void leavesAllElseToItself() {
        assertThat(steps(view(), view(), index(), index(), view(), index())).containsExactly(1, 2, 3, 3, 4, 5);
    }

    @Test
    void keepsStatementsOfOnePieceTogether() {
        assertThat(steps(index().with("COMMENT ON INDEX"), view().with("COMMENT ON VIEW")))
                .containsExactly(1, 1, 2, 2);
    }

    private static List<Integer> steps(Piece... pieces) {
        return Steps.of(List.of(pieces)).stream().map(BlueprintStatement::step).toList();
    }

    private Piece index() {
        return new Piece(new PieceKey(PieceKind.INDEX, ++oids), "i" + oids)
                .with("CREATE INDEX")
                .ofOneTable();
    }

    private Piece view() {
        return new Piece(new PieceKey(PieceKind.VIEW, ++oids), "v" + oids).with("CREATE VIEW");
    }
}
