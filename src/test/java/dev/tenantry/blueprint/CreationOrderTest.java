package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CreationOrderTest {

    private static final List<PieceKind> KINDS = List.of(PieceKind.values());

    private long oids;

    @Test
    void ordersByKindAndThenByNameWhereNothingIsRequired() {
        List<Piece> pieces = List.of(
                piece(PieceKind.INDEX, "i"),
                piece(PieceKind.TABLE, "b"),
                piece(PieceKind.FUNCTION, "z"),
                piece(PieceKind.TABLE, "a"),
                piece(PieceKind.SCHEMA, "s"));

        assertThat(order(pieces)).containsExactly("schema s", "function z", "table a", "table b", "index i");
    }

    @Test
    void makesWhatIsRequiredFirst() {
        Piece table = piece(PieceKind.TABLE, "a");
        Piece function = piece(PieceKind.FUNCTION, "of_row").requires(table.key());
        Piece other = piece(PieceKind.FUNCTION, "a_user").requires(function.key());

        assertThat(order(List.of(other, function, table)))
                .containsExactly("table a", "function of_row", "function a_user");
    }

    @Test
    void makesEarlyWhatSomethingEarlyRequires() {
        Piece view = piece(PieceKind.VIEW, "v");
        Piece under = piece(PieceKind.VIEW, "under");
        Piece late = piece(PieceKind.VIEW, "late");
        view.requires(under.key());
        Piece table = piece(PieceKind.TABLE, "t").requires(view.key());

        assertThat(order(List.of(late, table, view, under)))
                .containsExactly("view under", "view v", "table t", "view late");
        assertThat(under.phase()).isEqualTo(Phase.BEFORE_DATA);
        assertThat(late.phase()).isEqualTo(Phase.AFTER_DATA);
    }

    @Test
    void isTheSameWhateverTheOrderOfReading() {
        List<Piece> pieces = new ArrayList<>();
        Random random = new Random(7);
        for (int i = 0; i < 200; i++) {
            Piece piece = piece(KINDS.get(random.nextInt(KINDS.size())), "p" + i);
            for (int j = 0; i > 0 && j < 3; j++) {
                piece.requires(pieces.get(random.nextInt(i)).key());
            }
            pieces.add(piece);
        }
        List<String> first = order(pieces);
        Collections.shuffle(pieces, random);

        assertThat(order(pieces)).isEqualTo(first);
        assertThat(first).hasSize(200);
    }

    @Test
    void neverMakesAnythingBeforeWhatItRequires() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        List<Piece> pieces = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            Piece piece = piece(KINDS.get(random.nextInt(KINDS.size())), "p" + i);
            for (int j = 0; i > 0 && j < 2; j++) {
                piece.requires(pieces.get(random.nextInt(i)).key());
            }
            pieces.add(piece);
        }
        Collections.shuffle(pieces, random);
        List<Piece> ordered = CreationOrder.of(pieces).pieces();
        List<PieceKey> keys = ordered.stream().map(Piece::key).toList();

        assertThat(ordered).as("seed %d", seed).hasSize(300);
        assertThat(ordered.stream().map(Piece::phase)).as("seed %d", seed).isSorted();
        for (Piece piece : ordered) {
            assertThat(keys.subList(0, keys.indexOf(piece.key())))
                    .as("seed %d", seed)
                    .containsAll(piece.required());
        }
    }

    @Test
    void makesOneOfACircleInTwoSteps() {
        Piece view = piece(PieceKind.VIEW, "v");
        Piece function = piece(PieceKind.FUNCTION, "f").requires(view.key());
        view.requires(function.key()).standIn(piece(PieceKind.STUB, "v"));
        Piece user = piece(PieceKind.VIEW, "w").requires(view.key());

        assertThat(order(List.of(user, view, function)))
                .containsExactly("stand-in of v", "function f", "view v", "view w");
    }

    @Test
    void makesAStandInOnceForSeveralCircles() {
        Piece view = piece(PieceKind.VIEW, "v");
        Piece one = piece(PieceKind.FUNCTION, "one").requires(view.key());
        Piece two = piece(PieceKind.FUNCTION, "two").requires(view.key());
        view.requires(one.key()).requires(two.key()).standIn(piece(PieceKind.STUB, "v"));

        assertThat(order(List.of(view, one, two)))
                .containsExactly("stand-in of v", "function one", "function two", "view v");
    }

    @Test
    void namesWhatStandsInACircleWithoutStandIn() {
        Piece one = piece(PieceKind.TABLE, "one");
        Piece two = piece(PieceKind.TABLE, "two").requires(one.key());
        one.requires(two.key());
        Piece behind = piece(PieceKind.TABLE, "behind").requires(two.key());

        assertThat(CreationOrder.of(List.of(behind, one, two)).knots())
                .singleElement()
                .satisfies(knot -> assertThat(knot).containsExactlyInAnyOrder(one, two));
    }

    @Test
    void ordersALongChainWithoutRecursion() {
        List<Piece> chain = new ArrayList<>();
        IntStream.range(0, 20_000).forEach(i -> {
            Piece piece = piece(PieceKind.VIEW, "v" + i);
            if (i > 0) {
                piece.requires(chain.getLast().key());
            }
            chain.add(piece);
        });

        assertThat(CreationOrder.of(chain.reversed()).pieces()).isEqualTo(chain);
    }

    @Test
    void failsWhenSomethingRequiredWasNeverRead() {
        Piece piece = piece(PieceKind.TABLE, "t").requires(new PieceKey(PieceKind.TYPE, 99));

        assertThatThrownBy(() -> CreationOrder.of(List.of(piece)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("never read");
    }

    private Piece piece(PieceKind kind, String name) {
        return new Piece(new PieceKey(kind, ++oids), name);
    }

    private static List<String> order(List<Piece> pieces) {
        CreationOrder.Result result = CreationOrder.of(pieces);
        assertThat(result.knots()).isEmpty();
        return result.pieces().stream().map(Piece::title).toList();
    }
}
