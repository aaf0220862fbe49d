package dev.tenantry.control.node.copy;

/**
 * How large a table is.
 *
 * @param bytes with what is stored apart from its rows, but without indexes
 * @param pages of the rows alone
 */
public record TableSize(long bytes, long pages) {

    static final TableSize NONE = new TableSize(0, 0);
}
