package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FakeNode;
import dev.tenantry.support.Message;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.TestCertificate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A certificate that is renewed is shown to the next client, without a restart and without ending a session. */
class TlsReloadIT {

    @TempDir
    private Path folder;

    @Test
    void showsRenewedCertificateToNewClients() throws Exception {
        TestCertificate first = TestCertificate.create();
        TestCertificate second = TestCertificate.create();
        TlsSettings tls = new TlsSettings(
                TlsSettings.ClientMode.REQUIRE,
                Optional.of(first.writeCertificate(folder)),
                Optional.of(first.writeKey(folder)),
                TlsSettings.NodeMode.DISABLE,
                Optional.empty());
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            while (peer.read().type() == 'Q') {
                peer.complete("SELECT 0");
                peer.ready('I');
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(ProxyLimits.forCores(1).withPool(PoolLimits.NONE), tls, node);
                RawClient early = encrypted(proxy);
                RawClient halfway = encrypted(proxy)) {
            signIn(early);
            second.writeCertificate(folder);
            Files.writeString(folder.resolve("server.key"), "not a key yet");
            assertThat(shown(proxy)).isEqualTo(first.certificate());
            second.writeKey(folder);
            Eventually.passes(() -> assertThat(shown(proxy)).isEqualTo(second.certificate()));

            signIn(halfway); // bound to the certificate that it was shown
            assertThat(halfway.mechanism()).isEqualTo("SCRAM-SHA-256-PLUS");
            assertThat(Message.types(early.run("SELECT 1"))).isEqualTo("CZ");
            early.terminate().flushOut();
            halfway.terminate().flushOut();
        }
    }

    private static RawClient encrypted(ProxyBefore proxy) {
        RawClient client = proxy.connect();
        assertThat(client.requestSsl()).isEqualTo('S');
        client.startTls();
        return client;
    }

    private static void signIn(RawClient client) {
        client.signIn(RawClient.PROTOCOL_3_0, "tenantry", Map.of("user", "tenantry", "database", "tenantry"));
    }

    private static X509Certificate shown(ProxyBefore proxy) {
        try (RawClient client = encrypted(proxy)) {
            return client.serverCertificate().orElseThrow();
        }
    }
}
