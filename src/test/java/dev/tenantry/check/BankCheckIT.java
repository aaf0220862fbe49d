package dev.tenantry.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The check finds Tenantry's and PostgreSQL's own books right, and finds money that somebody has taken. */
class BankCheckIT {
    private static final BankCheck.Size SIZE = new BankCheck.Size(8, 4, 50);

    private static Cluster cluster;
    private static PostgresNode plain;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        plain = PostgresNode.start("plain");
    }

    @AfterAll
    static void stop() {
        cluster.close();
        plain.close();
    }

    @Test
    void findsTheBooksOfAClusterRight() throws Exception {
        assertThat(check(cluster.port(), 1, 5).run())
                .startsWith("the books are right")
                .containsPattern("acknowledged=[1-9]");
    }

    @Test
    void findsTheBooksOfPostgresRight() throws Exception {
        assertThat(check(plain.port(), 2, 3).run()).startsWith("the books are right");
    }

    /** An entry alone, which the next look at the account finds; or with its money, which only the end shows. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM check_bank_1.entry WHERE transfer = (SELECT min(transfer) FROM check_bank_1.entry)",
                "WITH gone AS (DELETE FROM check_bank_1.entry WHERE transfer = (SELECT min(transfer)"
                        + " FROM check_bank_1.entry) RETURNING *)"
                        + " UPDATE check_bank_1.account a SET balance = balance - gone.amount FROM gone"
                        + " WHERE a.id = gone.account"
            })
    void findsWhatIsTaken(String theft) throws Exception {
        BankBed.remove(server(cluster.port()));
        CompletableFuture<Void> taken =
                CompletableFuture.runAsync(() -> Eventually.holds("there is something to take", () -> {
                    try (Connection thief = cluster.connect();
                            Statement statement = thief.createStatement()) {
                        return statement.executeUpdate(theft) > 0;
                    }
                }));
        assertThatThrownBy(() -> check(cluster.port(), 3, 4).run())
                .isInstanceOf(CheckFailedException.class)
                .hasMessageContaining("seed=3");
        taken.join();
    }

    @Test
    void saysThatItCanNotReachTheCluster() throws InterruptedException {
        StringBuilder said = new StringBuilder();
        int code = Checks.run(List.of("check-bank", "--url", "postgresql://a:b@127.0.0.1:1/c"), said::append);
        assertThat(code).isEqualTo(Checks.EXIT_FAILED);
        assertThat(said).contains("FAILED");
    }

    private static BankCheck check(int port, long seed, int seconds) {
        return new BankCheck(List.of(server(port)), SIZE, seed, Duration.ofSeconds(seconds), BankCheck.Trouble.NONE);
    }

    private static ServerAddress server(int port) {
        Superuser superuser = Superuser.DEFAULT;
        return new ServerAddress("127.0.0.1", port, superuser.database(), superuser.name(), superuser.password());
    }
}
