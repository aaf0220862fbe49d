package dev.tenantry.proxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.TestCertificate;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.RSAPrivateKey;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TlsContextsTest {

    private static TestCertificate certificate = TestCertificate.create();

    private static TestCertificate other = TestCertificate.create();

    @TempDir
    static Path shared;

    private static Path certificateFile = Path.of("");
    private static Path keyFile = Path.of("");

    @TempDir
    Path folder = Path.of("");

    @BeforeAll
    static void writeFiles() {
        certificateFile = certificate.writeCertificate(shared);
        keyFile = certificate.writeKey(shared);
    }

    @ParameterizedTest
    @CsvSource({
        "RSA,SHA256withRSA,SHA-256",
        "RSA,SHA1withRSA,SHA-256",
        "RSA,RSASSA-PSS,SHA-384",
        "EC,SHA512withECDSA,SHA-512",
        "Ed25519,Ed25519,"
    })
    void hashesCertificateByTheAlgorithmOfItsSignature(String kind, String signature, String hash) throws Exception {
        TestCertificate certificate = kind.equals("RSA")
                ? TestCertificate.create("-keyalg", kind, "-keysize", "2048", "-sigalg", signature)
                : kind.equals("EC")
                        ? TestCertificate.create("-keyalg", kind, "-groupname", "secp256r1", "-sigalg", signature)
                        : TestCertificate.create("-keyalg", kind);
        TlsContexts contexts = new TlsContexts(new TlsSettings(
                TlsSettings.ClientMode.ALLOW,
                Optional.of(certificate.writeCertificate(folder)),
                Optional.of(certificate.writeKey(folder)),
                TlsSettings.NodeMode.DISABLE,
                Optional.empty()));
        Optional<byte[]> endPoint = contexts.forClients().orElseThrow().serverEndPoint();
        if (hash == null) {
            assertThat(endPoint).isEmpty();
        } else {
            byte[] expected = MessageDigest.getInstance(hash)
                    .digest(certificate.certificate().getEncoded());
            assertThat(endPoint.orElseThrow()).isEqualTo(expected);
        }
    }

    @Test
    void shakesHandsAndBindsBothSidesToTheSameCertificate() {
        for (TlsSettings.NodeMode mode : TlsSettings.NodeMode.values()) {
            if (mode.asks()) {
                TlsContexts contexts = new TlsContexts(settings(mode, Optional.of(certificateFile)));
                SslHandler server = contexts.forClients().orElseThrow().newHandler(ByteBufAllocator.DEFAULT);
                SslHandler client =
                        contexts.forNodes().orElseThrow().newHandler(ByteBufAllocator.DEFAULT, "localhost", 1);
                shakeHands(server, client);
                assertThat(client.handshakeFuture().isSuccess()).as("%s", mode).isTrue();
                assertThat(TlsContexts.ClientTls.hasNamedProtocol(server)).isTrue();
                assertThat(TlsContexts.NodeTls.serverEndPoint(client).orElseThrow())
                        .isEqualTo(contexts.forClients()
                                .orElseThrow()
                                .serverEndPoint()
                                .orElseThrow());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"VERIFY_FULL,elsewhere.example,false", "VERIFY_CA,elsewhere.example,true", "VERIFY_FULL,127.0.0.1,true"
    })
    void comparesHostNameOnlyWhenAsked(TlsSettings.NodeMode mode, String host, boolean accepted) {
        TlsContexts contexts = new TlsContexts(settings(mode, Optional.of(certificateFile)));
        SslHandler client = contexts.forNodes().orElseThrow().newHandler(ByteBufAllocator.DEFAULT, host, 1);
        shakeHands(contexts.forClients().orElseThrow().newHandler(ByteBufAllocator.DEFAULT), client);
        assertThat(client.handshakeFuture().isSuccess()).isEqualTo(accepted);
    }

    @ParameterizedTest
    @CsvSource({"VERIFY_FULL,elsewhere.example,false", "VERIFY_CA,elsewhere.example,true", "VERIFY_FULL,127.0.0.1,true"
    })
    void doesSoOverABlockingConnectionToo(TlsSettings.NodeMode mode, String host, boolean accepted) throws Exception {
        TlsContexts contexts = new TlsContexts(settings(mode, Optional.of(certificateFile)));
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket plain = new Socket(listening.getInetAddress(), listening.getLocalPort())) {
            FutureTask<SSLSocket> serving = new FutureTask<>(() -> certificate.serving(listening.accept()));
            Thread.ofPlatform().start(serving);
            SSLSocket client = contexts.forNodes().orElseThrow().over(plain, host);
            if (accepted) {
                client.startHandshake();
                assertThat(TlsContexts.NodeTls.serverEndPoint(client.getSession()))
                        .contains(contexts.forClients()
                                .orElseThrow()
                                .serverEndPoint()
                                .orElseThrow());
                serving.get().close();
            } else {
                assertThatThrownBy(client::startHandshake).isInstanceOf(SSLHandshakeException.class);
                assertThatThrownBy(serving::get).hasCauseInstanceOf(IOException.class);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"REQUIRE,true", "VERIFY_CA,false", "VERIFY_FULL,false"})
    void wantsVoucherOnlyWhenAsked(TlsSettings.NodeMode mode, boolean accepted) {
        Path otherRoot = other.writeCertificate(folder);
        TlsContexts contexts = new TlsContexts(settings(mode, Optional.of(otherRoot)));
        SslHandler client = contexts.forNodes().orElseThrow().newHandler(ByteBufAllocator.DEFAULT, "localhost", 1);
        shakeHands(contexts.forClients().orElseThrow().newHandler(ByteBufAllocator.DEFAULT), client);
        assertThat(client.handshakeFuture().isSuccess()).isEqualTo(accepted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "http/1.1", "PostgreSQL"})
    void knowsClientThatHasNotNamedTheProtocol(String protocol) {
        TlsContexts contexts = new TlsContexts(settings(TlsSettings.NodeMode.REQUIRE, Optional.empty()));
        SslHandler server = contexts.forClients().orElseThrow().newHandler(ByteBufAllocator.DEFAULT);
        SslHandler client = contexts.forNodes().orElseThrow().newHandler(ByteBufAllocator.DEFAULT, "localhost", 1);
        SSLParameters parameters = client.engine().getSSLParameters();
        parameters.setApplicationProtocols(protocol.isEmpty() ? new String[0] : new String[] {protocol});
        client.engine().setSSLParameters(parameters);
        shakeHands(server, client);
        assertThat(TlsContexts.ClientTls.hasNamedProtocol(server)).isFalse();
        assertThat(client.handshakeFuture().isSuccess()).isEqualTo(protocol.isEmpty());
    }

    @Test
    void readsNewFilesWhenTheyHaveChangedAndKeepsTheOldWhenTheyAreBad() throws IOException {
        Path certificate = Files.copy(certificateFile, folder.resolve("c.pem"));
        Path key = Files.copy(keyFile, folder.resolve("k.pem"));
        TlsContexts contexts = new TlsContexts(new TlsSettings(
                TlsSettings.ClientMode.REQUIRE,
                Optional.of(certificate),
                Optional.of(key),
                TlsSettings.NodeMode.DISABLE,
                Optional.empty()));
        byte[] before = contexts.forClients().orElseThrow().serverEndPoint().orElseThrow();
        assertThat(contexts.reloadIfChanged()).isFalse();

        Files.writeString(certificate, "nothing\n");
        assertThatThrownBy(contexts::reloadIfChanged).isInstanceOf(TlsException.class);
        assertThat(contexts.forClients().orElseThrow().serverEndPoint().orElseThrow())
                .isEqualTo(before);

        Files.writeString(certificate, other.certificatePem());
        Files.writeString(key, other.keyPem());
        assertThat(contexts.reloadIfChanged()).isTrue();
        assertThat(contexts.forClients().orElseThrow().serverEndPoint().orElseThrow())
                .isNotEqualTo(before);
    }

    @Test
    void readsKeysInTheirOlderForms() throws Exception {
        for (String[] options :
                new String[][] {{"-keyalg", "RSA", "-keysize", "2048"}, {"-keyalg", "EC", "-groupname", "secp521r1"}}) {
            TestCertificate certificate = TestCertificate.create(options);
            Path key = folder.resolve("old.key");
            Files.writeString(key, certificate.keyPem());
            Path old = folder.resolve("traditional.key");
            Process openssl = new ProcessBuilder(
                            "openssl", "pkey", "-traditional", "-in", key.toString(), "-out", old.toString())
                    .inheritIO()
                    .start();
            assertThat(openssl.waitFor()).isZero();
            assertThat(Files.readString(old)).contains("BEGIN " + options[1] + " PRIVATE KEY");
            assertThat(secretOf(PemFile.privateKey(old))).isEqualTo(secretOf(certificate.key()));
        }
    }

    private static BigInteger secretOf(PrivateKey key) {
        return switch (key) {
            case ECPrivateKey curve -> curve.getS();
            case RSAPrivateKey rsaKey -> rsaKey.getPrivateExponent();
            default -> throw new AssertionError(key);
        };
    }

    @Test
    void saysWhatIsWrongWithTheFiles() throws IOException {
        assertThatThrownBy(() -> new TlsContexts(new TlsSettings(
                        TlsSettings.ClientMode.ALLOW,
                        Optional.empty(),
                        Optional.empty(),
                        TlsSettings.NodeMode.DISABLE,
                        Optional.empty())))
                .hasMessage("TLS for clients needs the PEM file of a certificate");
        assertThatThrownBy(() -> new TlsContexts(settings(TlsSettings.NodeMode.VERIFY_FULL, Optional.empty())))
                .hasMessage("verification of nodes needs the PEM file of root certificates");
        Path missing = folder.resolve("missing.pem");
        assertThatThrownBy(() -> new TlsContexts(settings(TlsSettings.NodeMode.VERIFY_CA, Optional.of(missing))))
                .isInstanceOf(TlsException.class)
                .hasMessage("could not read file \"" + missing + "\": No such file or directory");
        Path encrypted = Files.writeString(
                folder.resolve("e.key"),
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        assertThatThrownBy(() -> PemFile.privateKey(encrypted)).hasMessageContaining("ENCRYPTED PRIVATE KEY");
    }

    private static TlsSettings settings(TlsSettings.NodeMode mode, Optional<Path> roots) {
        return new TlsSettings(
                TlsSettings.ClientMode.ALLOW, Optional.of(certificateFile), Optional.of(keyFile), mode, roots);
    }

    /** Carries bytes between the two until neither has anything to say. */
    private static void shakeHands(SslHandler server, SslHandler client) {
        EmbeddedChannel left = new EmbeddedChannel(server);
        EmbeddedChannel right = new EmbeddedChannel(client);
        boolean moved = true;
        while (moved) {
            boolean rightward = carry(left, right);
            boolean leftward = carry(right, left);
            moved = rightward || leftward;
        }
        left.finishAndReleaseAll();
        right.finishAndReleaseAll();
    }

    private static boolean carry(EmbeddedChannel from, EmbeddedChannel to) {
        boolean moved = false;
        for (Object bytes = from.readOutbound(); bytes != null; bytes = from.readOutbound()) {
            moved = true;
            if (!to.isOpen()) {
                ReferenceCountUtil.release(bytes);
                continue;
            }
            try {
                to.writeInbound(bytes);
            } catch (Exception refused) {
                // A handshake that fails is what some tests want to see; they look at its future.
            }
        }
        return moved;
    }
}
