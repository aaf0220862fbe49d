package dev.tenantry.sql;

import java.util.List;

/**
 * What the values of a catalog query say of schemas.
 *
 * @param names what the literals may name, but for those that something is to differ from
 * @param compared what is meant as a schema's name for certain
 * @param oid whether an oid is among them
 */
record CatalogLiterals(List<String> names, ComparedSchemas compared, boolean oid) {
    static final CatalogLiterals NONE = new CatalogLiterals(List.of(), ComparedSchemas.NONE, false);
}
