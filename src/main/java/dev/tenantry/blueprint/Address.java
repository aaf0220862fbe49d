package dev.tenantry.blueprint;

/**
 * Which row of a server's catalogs an object is, as pg_depend and pg_description name it.
 *
 * @param catalog oid of the catalog
 * @param oid oid of the row
 */
record Address(long catalog, long oid) {

    // Fixed in PostgreSQL's headers ("CATALOG(pg_class,1259,..."), the same in every version.
    static final long TYPE = 1247;
    static final long FUNCTION = 1255;
    static final long RELATION = 1259;
    static final long DEFAULT_ACL = 826;
    static final long DEFAULT = 2604;
    static final long CAST = 2605;
    static final long CONSTRAINT = 2606;
    static final long CONVERSION = 2607;
    static final long AMOP = 2602;
    static final long AMPROC = 2603;
    static final long SCHEMA = 2615;
    static final long OPERATOR_CLASS = 2616;
    static final long OPERATOR = 2617;
    static final long REWRITE = 2618;
    static final long TRIGGER = 2620;
    static final long OPERATOR_FAMILY = 2753;
    static final long EXTENSION = 3079;
    static final long POLICY = 3256;
    static final long STATISTICS = 3381;
    static final long COLLATION = 3456;
    static final long TEXT_SEARCH_DICTIONARY = 3600;
    static final long TEXT_SEARCH_PARSER = 3601;
    static final long TEXT_SEARCH_CONFIGURATION = 3602;
    static final long TEXT_SEARCH_TEMPLATE = 3764;
    static final long PUBLICATION_TABLE = 6106;
    static final long PUBLICATION_SCHEMA = 6237;

    static Address relation(long oid) {
        return new Address(RELATION, oid);
    }

    static Address type(long oid) {
        return new Address(TYPE, oid);
    }

    static Address function(long oid) {
        return new Address(FUNCTION, oid);
    }

    static Address constraint(long oid) {
        return new Address(CONSTRAINT, oid);
    }
}
