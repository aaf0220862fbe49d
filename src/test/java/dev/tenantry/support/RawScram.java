package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.postgresql.shaded.com.ongres.scram.client.ScramClient;
import org.postgresql.shaded.com.ongres.scram.common.exception.ScramException;

/** The SCRAM of {@link RawClient}: by a library and not by our own code, so that it proves ours. */
final class RawScram {

    private RawScram() {}

    /** Runs the exchange that the request begins; an error of the server is left to be read. Returns the mechanism. */
    static String run(RawClient client, ByteBuffer request, String password) {
        List<String> mechanisms = new ArrayList<>();
        for (String name = Message.string(request); !name.isEmpty(); name = Message.string(request)) {
            mechanisms.add(name);
        }
        var builder = ScramClient.builder()
                .advertisedMechanisms(mechanisms)
                .username("*")
                .password(password.toCharArray());
        Optional<X509Certificate> certificate = client.serverCertificate();
        if (certificate.isPresent() && mechanisms.contains("SCRAM-SHA-256-PLUS")) {
            builder = builder.channelBinding("tls-server-end-point", TestCertificate.endPoint(certificate.get()));
        }
        ScramClient scram = builder.build();
        String mechanism = scram.getScramMechanism().getName();
        try {
            byte[] first = scram.clientFirstMessage().toString().getBytes(StandardCharsets.UTF_8);
            client.message(
                    'p',
                    new MessageWriter().string(mechanism).int32(first.length).bytes(first));
            Message challenge = client.read();
            assertThat(challenge.type()).as("%s", challenge).isEqualTo('R');
            scram.serverFirstMessage(saslText(challenge, 11));
            client.message(
                    'p',
                    new MessageWriter()
                            .bytes(scram.clientFinalMessage().toString().getBytes(StandardCharsets.UTF_8)));
            Message last = client.read();
            if (last.type() == 'E') {
                client.pushBack(last);
            } else {
                scram.serverFinalMessage(saslText(last, 12));
            }
        } catch (ScramException e) {
            throw new AssertionError(e);
        }
        return mechanism;
    }

    private static String saslText(Message message, int code) {
        ByteBuffer body = message.reader();
        assertThat(message.type()).isEqualTo('R');
        assertThat(body.getInt()).isEqualTo(code);
        return StandardCharsets.UTF_8.decode(body).toString();
    }
}
