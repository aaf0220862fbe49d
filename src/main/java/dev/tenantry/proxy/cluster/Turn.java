package dev.tenantry.proxy.cluster;

/** Where a statement that the session carries out stands in what the client has sent, and so what follows it. */
public enum Turn {
    /** A Query of its own: ReadyForQuery follows. */
    QUERY,
    /** In a Query with other statements behind it. */
    PART,
    /** The last of several in one Query: the implicit transaction ends with it, ReadyForQuery comes by itself. */
    LAST_PART,
    /** An Execute: the client sends Sync. */
    EXECUTE;

    boolean isFollowedByReady() {
        return this == QUERY;
    }

    boolean isPart() {
        return this == PART || this == LAST_PART;
    }

    boolean endsImplicit() {
        return this == QUERY || this == LAST_PART;
    }
}
