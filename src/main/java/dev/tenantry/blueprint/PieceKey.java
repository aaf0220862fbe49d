package dev.tenantry.blueprint;

/**
 * Which piece of a schema, on one server.
 *
 * @param kind what it is
 * @param oid of the object it makes or changes; together with the kind it is unique
 */
record PieceKey(PieceKind kind, long oid) {}
