package dev.tenantry.control.node.copy;

import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.StatementRefusedException;

/** A server does not let a role sign in that a move has made there; who may is for its {@code pg_hba.conf} to say. */
public final class SignInRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient CoordinatorAddress server;
    private final StatementRefusedException refused;

    SignInRefusedException(CoordinatorAddress server, StatementRefusedException refused) {
        super(refused.getMessage(), refused);
        this.server = server;
        this.refused = refused;
    }

    /** Whether it is the server that has this address, whoever signs in. */
    public boolean isAt(CoordinatorAddress address) {
        return server.host().equals(address.host()) && server.port() == address.port();
    }

    /** The server's words. */
    public StatementRefusedException refused() {
        return refused;
    }
}
