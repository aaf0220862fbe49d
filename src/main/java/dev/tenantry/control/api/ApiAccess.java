package dev.tenantry.control.api;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.control.rebalance.Rebalances;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.store.ClusterViews;
import dev.tenantry.store.move.MoveDesk;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the API reads, once the planes run, and who may read it. Thread-safe; checks block. */
@ApplicationScoped
public class ApiAccess {

    /** Checked for roles that do not exist, so that the answer takes as long as for those that do. */
    private static final ScramVerifier NOBODY =
            ScramVerifier.of("nobody", 4096, "no such role....".getBytes(StandardCharsets.US_ASCII));

    private final MeterRegistry meters;
    private final SignInBackoff backoff = new SignInBackoff();
    private final ProvenPasswords proven = new ProvenPasswords();
    private volatile @Nullable Source source;

    private record Source(
            CatalogFeed catalog,
            ClusterViews views,
            ActivityReader activity,
            Supplier<MoveDesk> moves,
            Rebalances rebalances) {}

    private enum SignIn {
        ACCEPTED,
        REFUSED,
        TOO_EARLY
    }

    /** Counts sign-ins there. */
    public ApiAccess(MeterRegistry meters) {
        this.meters = meters;
        for (SignIn outcome : SignIn.values()) {
            counter(outcome);
        }
    }

    /** Opens the API; called when the planes run. */
    public void open(
            CatalogFeed catalog,
            ClusterViews views,
            ActivityReader activity,
            Supplier<MoveDesk> moves,
            Rebalances rebalances) {
        source = new Source(catalog, views, activity, moves, rebalances);
    }

    /** Closes the API; called before the planes stop. */
    public void close() {
        source = null;
    }

    /** The views; only for requests that were {@linkplain #require authorized}. */
    ClusterViews views() {
        return source().views();
    }

    /** What the proxy is doing; only for requests that were {@linkplain #require authorized}. */
    ActivityReader activity() {
        return source().activity();
    }

    /** Asks for moves; only for requests that were {@linkplain #require authorized}; close it. */
    MoveDesk openMoves() {
        return source().moves().get();
    }

    /** Asks for rebalances; only for requests that were {@linkplain #require authorized}. */
    Rebalances rebalances() {
        return source().rebalances();
    }

    /** The catalog as this process knows it. */
    CatalogFeed catalog() {
        return source().catalog();
    }

    /** Whether the planes still run. */
    boolean isOpen() {
        return source != null;
    }

    /**
     * The caller's role, if it is who it says; or says why not.
     *
     * @param authorization the request's header, if it has one
     * @param address where the request comes from
     */
    LoginRole require(@Nullable String authorization, String address) {
        CatalogFeed catalog = source().catalog();
        BasicCredentials credentials = BasicCredentials.parse(authorization).orElseThrow(Problem::unauthenticated);
        return authenticated(catalog, credentials, address);
    }

    /** Lets those pass who may read everything. */
    static void requireReader(LoginRole role) {
        if (!role.superuser() && !role.monitor()) {
            throw Problem.forbidden("Only a superuser or a member of pg_monitor may read this.");
        }
    }

    private Source source() {
        Source open = source;
        if (open == null) {
            throw Problem.unavailable("The service is starting or stopping.");
        }
        return open;
    }

    private LoginRole authenticated(CatalogFeed catalog, BasicCredentials credentials, String address) {
        Optional<LoginRole> known = usable(catalog.current(), credentials);
        if (known.isPresent() && proven.isProven(credentials.role(), verifier(known), credentials.password())) {
            count(SignIn.ACCEPTED);
            return known.get();
        }
        Duration wait = backoff.attempt(address, credentials.role(), Instant.now());
        if (!wait.isZero()) {
            count(SignIn.TOO_EARLY);
            throw Problem.tooEarly(wait);
        }
        // The role may have been changed a moment ago.
        LoginRole accepted = checked(known, credentials)
                .or(() -> checked(usable(catalog.refresh(), credentials), credentials))
                .orElseThrow(() -> {
                    count(SignIn.REFUSED);
                    return Problem.unauthenticated();
                });
        backoff.succeeded(address, credentials.role());
        proven.proven(credentials.role(), verifier(Optional.of(accepted)), credentials.password());
        count(SignIn.ACCEPTED);
        return accepted;
    }

    private static Optional<LoginRole> usable(CatalogSnapshot snapshot, BasicCredentials credentials) {
        return snapshot.role(credentials.role())
                .filter(LoginRole::canLogin)
                .filter(role -> role.validUntil().map(Instant.now()::isBefore).orElse(true));
    }

    private static Optional<LoginRole> checked(Optional<LoginRole> role, BasicCredentials credentials) {
        ScramVerifier verifier = verifier(role);
        boolean right = verifier.matches(credentials.password()) && !verifier.equals(NOBODY);
        return role.filter(known -> right);
    }

    private static ScramVerifier verifier(Optional<LoginRole> role) {
        return role.flatMap(LoginRole::verifier).flatMap(ScramVerifier::parse).orElse(NOBODY);
    }

    private void count(SignIn outcome) {
        counter(outcome).increment();
    }

    private Counter counter(SignIn outcome) {
        return Counter.builder("tenantry.api.sign.ins")
                .description("Requests to the API that named a role, by whether it was let in")
                .tag("outcome", outcome.name().toLowerCase(Locale.ROOT))
                .register(meters);
    }
}
