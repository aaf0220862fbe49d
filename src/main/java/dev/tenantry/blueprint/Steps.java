package dev.tenantry.blueprint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds what, in an order of creation, can be made at the same time. */
final class Steps {

    private Steps() {}

    /** The statements of pieces in their order; neighbours that need nothing of each other are of one step. */
    static List<BlueprintStatement> of(List<Piece> pieces) {
        List<BlueprintStatement> statements = new ArrayList<>();
        Set<PieceKey> sameStep = new HashSet<>();
        int step = 0;
        for (Piece piece : pieces) {
            if (sameStep.isEmpty() || !piece.apart() || !Collections.disjoint(piece.required(), sameStep)) {
                sameStep.clear();
                step++;
            }
            if (piece.apart()) {
                sameStep.add(piece.key());
            }
            Optional<String> idle = piece.idle();
            for (String sql : piece.statements()) {
                statements.add(new BlueprintStatement(piece.phase(), step, piece.title(), sql, idle));
                idle = Optional.empty();
            }
        }
        return statements;
    }
}
