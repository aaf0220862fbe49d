package dev.tenantry.blueprint;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One thing to create, with all that belongs to it alone, and what must be there before. Lives within one reading. */
final class Piece {

    private final PieceKey key;
    private final String name;
    private final List<String> statements = new ArrayList<>();
    private final Set<PieceKey> required = new HashSet<>();
    private @Nullable Piece stub;
    private @Nullable String idle;
    private Phase phase;
    private boolean apart;

    /** A piece without statements. */
    Piece(PieceKey key, String name) {
        this.key = key;
        this.name = name;
        this.phase = key.kind().phase();
    }

    PieceKey key() {
        return key;
    }

    /** Its name in SQL; with its kind it is unique, and the same on every server. */
    String name() {
        return name;
    }

    /** What people call it. */
    String title() {
        return key.kind().of(name);
    }

    Phase phase() {
        return phase;
    }

    List<String> statements() {
        return statements;
    }

    /** What must be made before it. */
    Set<PieceKey> required() {
        return required;
    }

    /** What can stand for it while things are made that it depends on itself. */
    Optional<Piece> stub() {
        return Optional.ofNullable(stub);
    }

    /** Adds a statement behind the others. */
    Piece with(String sql) {
        statements.add(sql);
        return this;
    }

    /** Adds what must be made before. */
    Piece requires(PieceKey other) {
        if (!other.equals(key)) {
            required.add(other);
        }
        return this;
    }

    /** Can be replaced by this one until it is made. */
    Piece standIn(Piece other) {
        this.stub = other;
        return this;
    }

    /** What can be run in the place of its first statement, and that later. */
    Optional<String> idle() {
        return Optional.ofNullable(idle);
    }

    /** Can be made to do nothing at first. */
    Piece idle(String sql) {
        this.idle = sql;
        return this;
    }

    /** Whether it can be made while others of which that is said are made too, over other connections. */
    boolean apart() {
        return apart;
    }

    /** Says that it reads, locks and changes one table that has rows of its own, and nothing else. */
    Piece ofOneTable() {
        this.apart = true;
        return this;
    }

    /** Moves it to another phase than its kind's. */
    Piece in(Phase other) {
        this.phase = other;
        return this;
    }
}
