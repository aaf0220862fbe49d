package dev.tenantry.blueprint;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Which materialized views are filled from which others, directly or through views and functions. */
final class Contents {

    private Contents() {}

    /** Makes each wait for those it reads; once all requirements are known. */
    static void order(Draft draft) {
        List<Piece> contents = draft.pieces().stream()
                .filter(piece -> piece.key().kind() == PieceKind.CONTENTS)
                .toList();
        for (Piece filled : contents) {
            Set<PieceKey> seen = new HashSet<>();
            Deque<PieceKey> todo = new ArrayDeque<>(List.of(
                    new PieceKey(PieceKind.MATERIALIZED_VIEW, filled.key().oid())));
            while (!todo.isEmpty()) {
                PieceKey key = todo.remove();
                if (seen.add(key)) {
                    draft.piece(key.kind(), key.oid()).ifPresent(piece -> todo.addAll(piece.required()));
                    draft.piece(PieceKind.CONTENTS, key.oid())
                            .filter(read -> key.kind() == PieceKind.MATERIALIZED_VIEW)
                            .map(Piece::key)
                            .ifPresent(filled::requires);
                }
            }
        }
    }
}
