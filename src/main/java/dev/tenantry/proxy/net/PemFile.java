package dev.tenantry.proxy.net;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads certificates and private keys from PEM files. Keys may be in PKCS#8 or in the older forms of their kind
 * (PKCS#1 for RSA, SEC 1 for elliptic curves), as PostgreSQL takes them.
 */
final class PemFile {

    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([^-]*)-----END \\1-----");
    private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS");

    private static final byte[] RSA_ALGORITHM = {
        0x30, 0x0D, 0x06, 0x09, 0x2A, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00
    };
    private static final byte[] EC_ALGORITHM_ID = {0x06, 0x07, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x02, 0x01};
    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;
    private static final int EC_PARAMETERS = 0xA0;

    private PemFile() {}

    /** All certificates of a file, at least one. */
    static List<X509Certificate> certificates(Path file) {
        try {
            List<X509Certificate> certificates = new ArrayList<>();
            for (Certificate certificate : CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)))) {
                certificates.add((X509Certificate) certificate);
            }
            if (certificates.isEmpty()) {
                throw new TlsException("no certificate in file \"" + file + "\"");
            }
            return certificates;
        } catch (IOException | GeneralSecurityException e) {
            throw new TlsException("could not read certificate file \"" + file + "\"", e);
        }
    }

    /** The private key of a file. */
    static PrivateKey privateKey(Path file) {
        try {
            Matcher matcher = KEY.matcher(Files.readString(file, StandardCharsets.US_ASCII));
            if (!matcher.find()) {
                throw new TlsException("no private key in file \"" + file + "\"");
            }
            return privateKey(file, matcher.group(1), matcher.group(2));
        } catch (IOException | IllegalArgumentException e) {
            throw new TlsException("could not read private key file \"" + file + "\"", e);
        }
    }

    private static PrivateKey privateKey(Path file, String kind, String text) {
        byte[] der = Base64.getMimeDecoder().decode(text);
        byte[] pkcs8 = switch (kind) {
            case "PRIVATE KEY" -> der;
            case "RSA PRIVATE KEY" -> wrapped(RSA_ALGORITHM, der);
            case "EC PRIVATE KEY" -> wrapped(tagged(SEQUENCE, joined(EC_ALGORITHM_ID, curveOf(file, der))), der);
            default ->
                throw new TlsException(
                        "private key file \"" + file + "\" holds a key of a kind that is not " + "supported: " + kind);
        };
        for (String algorithm : KEY_ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (GeneralSecurityException notOfThisKind) {
                // The container names its algorithm, but only the factories read it: the next one may.
            }
        }
        throw new TlsException("private key file \"" + file + "\" holds no RSA, EC or EdDSA key that can be read"
                + (text.contains("ENCRYPTED") ? "; it must not be encrypted" : ""));
    }

    private static byte[] wrapped(byte[] algorithm, byte[] key) {
        return tagged(SEQUENCE, joined(VERSION_0, algorithm, tagged(OCTET_STRING, key)));
    }

    /** The named curve in an ECPrivateKey (RFC 5915), which wraps it in a context tag of its own. */
    private static byte[] curveOf(Path file, byte[] key) {
        int at = contentAt(key, 0);
        while (at < key.length) {
            int tag = key[at] & 0xFF;
            int content = contentAt(key, at);
            int end = content + lengthAt(key, at);
            if (tag == EC_PARAMETERS && end <= key.length) {
                return Arrays.copyOfRange(key, content, end);
            }
            at = end;
        }
        throw new TlsException("private key file \"" + file + "\" does not name its elliptic curve");
    }

    private static int contentAt(byte[] der, int at) {
        int first = byteAt(der, at + 1);
        return at + 2 + (first < 0x80 ? 0 : first & 0x7F);
    }

    private static int lengthAt(byte[] der, int at) {
        int first = byteAt(der, at + 1);
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7F); i++) {
            length = length << 8 | byteAt(der, at + 2 + i);
        }
        if (length < 0) {
            throw new IllegalArgumentException("malformed DER");
        }
        return length;
    }

    private static int byteAt(byte[] der, int at) {
        if (at >= der.length) {
            throw new IllegalArgumentException("malformed DER");
        }
        return der[at] & 0xFF;
    }

    private static byte[] tagged(int tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(content.length + 6);
        out.write(tag);
        if (content.length < 0x80) {
            out.write(content.length);
        } else {
            byte[] length = BigInteger.valueOf(content.length).toByteArray();
            int skip = length[0] == 0 ? 1 : 0;
            out.write(0x80 | length.length - skip);
            out.write(length, skip, length.length - skip);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
