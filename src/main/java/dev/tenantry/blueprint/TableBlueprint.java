package dev.tenantry.blueprint;

import java.util.List;

/**
 * What a move has to know of one table.
 *
 * @param name without its schema
 * @param kind whether it has rows itself
 * @param persistence whether its changes are logged, and so can be replicated
 * @param estimatedBytes its size with TOAST, without indexes, when it was read; 0 for a partitioned table
 * @param replicaIdentity how its updates and deletes name rows
 * @param columns all columns in their order
 */
public record TableBlueprint(
        String name,
        Kind kind,
        Persistence persistence,
        long estimatedBytes,
        ReplicaIdentity replicaIdentity,
        List<Column> columns) {

    /** Whether a table has rows of its own. */
    public enum Kind {
        /** It has; partitions and children are such tables too. */
        PLAIN,
        /** Its partitions have them. */
        PARTITIONED
    }

    /** What a crash leaves of a table. */
    public enum Persistence {
        /** Everything; its changes can be replicated. */
        LOGGED,
        /** Nothing; it is in no publication. */
        UNLOGGED
    }

    /** How logical replication of updates and deletes finds a row. */
    public enum ReplicaIdentity {
        /** By a primary key or another index. */
        KEY,
        /** By the whole row. */
        FULL,
        /** Not at all: updates are refused while the table is published, unless it gets REPLICA IDENTITY FULL. */
        NONE
    }

    /** What its values come from. */
    public enum Source {
        /** Rows hold them. */
        STORED,
        /** Computed from the same row by the server; not copied. */
        GENERATED
    }

    /** One column. */
    public record Column(String name, Source source) {}

    /** With a list of its own. */
    public TableBlueprint {
        columns = List.copyOf(columns);
    }

    /** The columns a copy transfers, in order. */
    public List<String> storedColumns() {
        return columns.stream()
                .filter(column -> column.source() == Source.STORED)
                .map(Column::name)
                .toList();
    }
}
