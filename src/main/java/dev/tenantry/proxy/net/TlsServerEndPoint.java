package dev.tenantry.proxy.net;

import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import java.util.Locale;
import java.util.Optional;

/** The hash of a server's certificate to which a client binds its sign-in, "tls-server-end-point" of RFC 5929. */
final class TlsServerEndPoint {

    private TlsServerEndPoint() {}

    /** The certificate's hash; empty if its signature has no single hash algorithm, such as Ed25519. */
    static Optional<byte[]> of(X509Certificate certificate) {
        try {
            Optional<String> signatureHash = signatureHash(certificate);
            if (signatureHash.isEmpty()) {
                return Optional.empty();
            }
            String hash = signatureHash.get();
            // The RFC's exception: the two that are broken give way to SHA-256.
            boolean broken = hash.equals("MD5") || hash.equals("SHA-1");
            MessageDigest digest = MessageDigest.getInstance(broken ? "SHA-256" : hash);
            return Optional.of(digest.digest(certificate.getEncoded()));
        } catch (GeneralSecurityException unknownAlgorithm) {
            return Optional.empty();
        }
    }

    private static Optional<String> signatureHash(X509Certificate certificate) throws GeneralSecurityException {
        String name = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        if (name.equals("RSASSA-PSS")) {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("RSASSA-PSS");
            try {
                parameters.init(certificate.getSigAlgParams());
            } catch (IOException malformed) {
                throw new GeneralSecurityException(malformed);
            }
            return Optional.of(
                    parameters.getParameterSpec(PSSParameterSpec.class).getDigestAlgorithm());
        }
        int with = name.indexOf("WITH");
        if (with < 0) {
            return Optional.empty();
        }
        String hash = name.substring(0, with);
        return Optional.of(
                hash.startsWith("SHA") && !hash.startsWith("SHA3-") && !hash.startsWith("SHA-")
                        ? "SHA-" + hash.substring(3)
                        : hash);
    }
}
