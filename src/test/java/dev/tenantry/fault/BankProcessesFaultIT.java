package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.check.Checks;
import dev.tenantry.embedded.FreePort;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.UpProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * {@code ./tenantry check-bank} before two proxies, as people start them, while proxies, workers and the coordinator
 * die of {@code kill -9} at random: the books are right. {@code -Dbank.seconds} does it for longer, {@code -Dseed}
 * otherwise.
 */
class BankProcessesFaultIT {
    private static final int SECONDS = Integer.getInteger("bank.seconds", 8);
    private static final long SEED = Long.getLong("seed", 7);

    @Test
    void keepsTheBooksRight() throws Exception {
        List<PostgresNode> nodes = IntStream.rangeClosed(0, 2)
                .parallel()
                .mapToObj(i -> PostgresNode.start(i == 0 ? "coordinator" : "worker" + i))
                .toList();
        StringBuilder said = new StringBuilder();
        int code;
        try (KeptProxy one = new KeptProxy(nodes)) {
            one.awaitReady();
            try (KeptProxy other = new KeptProxy(nodes)) {
                other.awaitReady();
                code = Checks.run(
                        List.of(
                                "check-bank",
                                "--url=" + one.url(),
                                "--url=" + other.url(),
                                "--kill=nodes,proxies",
                                "--clients=8",
                                "--seed=" + SEED,
                                "--seconds=" + SECONDS),
                        said::append);
            }
        } finally {
            nodes.parallelStream().forEach(PostgresNode::close);
        }
        assertThat(code).as("%s", said).isZero();
        assertThat(said)
                .containsPattern("acknowledged=[1-9]")
                .containsPattern("killed=\\{java=[1-9]\\d*, postgres=[1-9]");
    }

    /** A proxy that is started again, at the same port, whenever it has died. */
    private static final class KeptProxy implements AutoCloseable {
        private final List<String> options;
        private final int port = FreePort.draw();
        private UpProcess process;
        private boolean closed;

        KeptProxy(List<PostgresNode> nodes) {
            this.options =
                    new ArrayList<>(List.of("--coordinator", nodes.getFirst().url()));
            nodes.subList(1, nodes.size())
                    .forEach(node -> options.addAll(List.of("--worker", node.host() + ":" + node.port())));
            options.addAll(List.of("--port", Integer.toString(port)));
            options.addAll(List.of("--http-port", Integer.toString(FreePort.draw())));
            this.process = launch();
        }

        private UpProcess launch() {
            UpProcess started = UpProcess.launch(Map.of(), options);
            started.handle().onExit().thenAccept(this::died);
            return started;
        }

        private synchronized void died(ProcessHandle dead) {
            if (!closed) {
                process.close();
                process = launch();
            }
        }

        private synchronized UpProcess process() {
            return process;
        }

        void awaitReady() throws InterruptedException {
            process().awaitReady();
        }

        String url() {
            Superuser superuser = Superuser.DEFAULT;
            return "postgresql://" + superuser.name() + ":" + superuser.password() + "@127.0.0.1:" + port + "/"
                    + superuser.database();
        }

        @Override
        public void close() {
            synchronized (this) {
                closed = true;
            }
            process().close();
        }
    }
}
