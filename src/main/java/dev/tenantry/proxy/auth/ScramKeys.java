package dev.tenantry.proxy.auth;

import dev.tenantry.scram.ScramVerifier;
import java.util.Arrays;

/**
 * What a successful exchange with a client teaches the proxy: enough to sign in as that role wherever the role has the
 * same verifier, without ever having seen the password. As good as the password there, so never logged.
 *
 * @param verifier the verifier the client was checked against
 * @param clientKey the client's key, whose hash is the verifier's stored key
 */
@SuppressWarnings("ArrayRecordComponent") // compared below; copies would only spread the key
public record ScramKeys(ScramVerifier verifier, byte[] clientKey) {

    @Override
    public boolean equals(Object other) {
        return other instanceof ScramKeys that
                && verifier.equals(that.verifier)
                && Arrays.equals(clientKey, that.clientKey);
    }

    @Override
    public int hashCode() {
        return verifier.hashCode();
    }

    /** Says nothing of the keys. */
    @Override
    public String toString() {
        return "ScramKeys";
    }
}
