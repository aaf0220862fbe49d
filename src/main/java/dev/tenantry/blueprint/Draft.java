package dev.tenantry.blueprint;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The pieces of a schema while they are gathered, and which rows of the catalogs they are. */
final class Draft {

    private final Map<PieceKey, Piece> pieces = new LinkedHashMap<>();
    private final Map<Address, PieceKey> owners = new HashMap<>();
    private final Map<Address, ObjectName> names = new HashMap<>();
    private final Map<Address, String> grantNames = new HashMap<>();
    private final SortedMap<String, String> unknown = new TreeMap<>();

    /** Adds a piece that stands for a row of the catalogs. */
    Piece add(PieceKind kind, Address address, String name) {
        Piece piece = add(kind, address.oid(), name);
        belongs(address, piece);
        return piece;
    }

    /** Adds a piece that is no row of its own. */
    Piece add(PieceKind kind, long oid, String name) {
        Piece piece = new Piece(new PieceKey(kind, oid), name);
        if (pieces.putIfAbsent(piece.key(), piece) != null) {
            throw new IllegalStateException("read twice: " + piece.title());
        }
        return piece;
    }

    /** Says that a row of the catalogs is made by a piece. */
    void belongs(Address address, Piece piece) {
        owners.put(address, piece.key());
    }

    /** Says that a type is made by a piece, and the type of arrays of it. */
    void makesTypes(Piece piece, String sqlName, long type, long arrays) {
        belongs(Address.type(type), piece);
        names.putIfAbsent(Address.type(type), new ObjectName("TYPE", sqlName));
        belongs(Address.type(arrays), piece);
        names.put(Address.type(arrays), new ObjectName("TYPE", sqlName + "[]"));
    }

    /** Says how COMMENT and ALTER name a row: {@code TABLE} and {@code "acme"."notes"}. */
    void names(Address address, String word, String name) {
        names.put(address, new ObjectName(word, name));
    }

    /** Says how GRANT names a row, where that is not as others do. */
    void grants(Address address, String name) {
        grantNames.put(address, name);
    }

    /** Notes something that can't be created elsewhere. */
    void refuse(String object, String reason) {
        unknown.putIfAbsent(object, reason);
    }

    Optional<Piece> piece(PieceKind kind, long oid) {
        return Optional.ofNullable(pieces.get(new PieceKey(kind, oid)));
    }

    /** What makes a row of the catalogs. */
    Optional<Piece> maker(Address address) {
        return Optional.ofNullable(owners.get(address)).map(pieces::get);
    }

    Optional<ObjectName> name(Address address) {
        return Optional.ofNullable(names.get(address));
    }

    /** What GRANT calls a row. */
    Optional<String> grantName(Address address) {
        return Optional.ofNullable(grantNames.get(address))
                .or(() -> name(address).map(ObjectName::forGrant));
    }

    Collection<Piece> pieces() {
        return pieces.values();
    }

    /** All rows that pieces make. */
    Collection<Address> addresses() {
        return owners.keySet();
    }

    /** What was refused, with the reasons. */
    Map<String, String> unknown() {
        return unknown;
    }
}
