package dev.tenantry.control.api;

import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.StatementRefusedException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.Response.Status;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * An error as RFC 9457 has it.
 *
 * @param title the kind of error, for people
 * @param status the HTTP status
 * @param code the kind of error, for programs; stays the same over versions
 * @param detail what is wrong with this request
 */
@Schema(description = "An error, as application/problem+json")
public record Problem(String title, int status, String code, String detail) {

    /** RFC 9110, 15.5.21. */
    private static final int UNPROCESSABLE = 422;

    /** Data exceptions; what does not exist or may not be used; what a function raises; that it took too long. */
    private static final Pattern OF_STRATEGIES = Pattern.compile("(22|42|P0)...|57014");

    /** The media type of errors. */
    public static final String MEDIA_TYPE = "application/problem+json";

    /** A parameter has no meaning. */
    static WebApplicationException badParameter(String detail) {
        return exception(Status.BAD_REQUEST.getStatusCode(), "bad_parameter", "Bad parameter", detail);
    }

    /** No role and password, or wrong ones. */
    static WebApplicationException unauthenticated() {
        Problem problem = new Problem(
                "Authentication required",
                Status.UNAUTHORIZED.getStatusCode(),
                "authentication_required",
                "Sign in by HTTP Basic with a PostgreSQL role and its password.");
        return new WebApplicationException(Response.status(Status.UNAUTHORIZED)
                .header(HttpHeaders.WWW_AUTHENTICATE, "Basic realm=\"tenantry\", charset=\"UTF-8\"")
                .type(MEDIA_TYPE)
                .entity(problem)
                .build());
    }

    /** Too many attempts to sign in. */
    static WebApplicationException tooEarly(Duration wait) {
        long seconds = wait.plusMillis(999).toSeconds();
        Problem problem = new Problem(
                "Too many attempts",
                Status.TOO_MANY_REQUESTS.getStatusCode(),
                "too_many_attempts",
                "Too many attempts to sign in; try again in " + seconds + " s.");
        return new WebApplicationException(Response.status(Status.TOO_MANY_REQUESTS)
                .header(HttpHeaders.RETRY_AFTER, seconds)
                .type(MEDIA_TYPE)
                .entity(problem)
                .build());
    }

    /** The role may not do this. */
    static WebApplicationException forbidden(String detail) {
        return exception(Status.FORBIDDEN.getStatusCode(), "not_allowed", "Not allowed", detail);
    }

    /** There is no such thing. */
    static WebApplicationException notFound(String detail) {
        return exception(Status.NOT_FOUND.getStatusCode(), "not_found", "Not found", detail);
    }

    /** It can't be done as things are. */
    static WebApplicationException conflict(String detail) {
        return exception(Status.CONFLICT.getStatusCode(), "conflict", "Conflict", detail);
    }

    /** The request can be read, but asks for what can't be done. */
    static WebApplicationException refused(String detail) {
        return exception(UNPROCESSABLE, "refused", "Refused", detail);
    }

    /** All streams are taken. */
    static WebApplicationException tooManyStreams() {
        return exception(
                Status.TOO_MANY_REQUESTS.getStatusCode(),
                "too_many_streams",
                "Too many streams",
                "As many event streams as this process gives are open.");
    }

    /** The coordinator's answer; or what it refuses, and that it can't be asked, as a problem. */
    static <T> T unless(Supplier<T> answer) {
        try {
            return answer.get();
        } catch (CatalogUnavailableException away) {
            throw unavailable("The coordinator does not answer now; try again later.");
        } catch (StatementRefusedException refused) {
            throw of(refused);
        }
    }

    /** The same of what runs a strategy's own functions: they can refuse with whatever error they like. */
    static <T> T unlessUnusable(Supplier<T> answer) {
        return unless(() -> {
            try {
                return answer.get();
            } catch (StatementRefusedException refused) {
                if (OF_STRATEGIES.matcher(refused.sqlState()).matches()) {
                    throw refused(words(refused));
                }
                throw refused;
            } catch (IllegalArgumentException unusable) {
                throw refused(String.valueOf(unusable.getMessage()));
            }
        });
    }

    /** The coordinator can't be asked. */
    static WebApplicationException unavailable(String detail) {
        return exception(
                Status.SERVICE_UNAVAILABLE.getStatusCode(),
                "coordinator_unavailable",
                "Coordinator unavailable",
                detail);
    }

    /** The proxy does not say what it is doing. */
    static WebApplicationException proxyUnavailable(Exception cause) {
        WebApplicationException unavailable = exception(
                Status.SERVICE_UNAVAILABLE.getStatusCode(),
                "proxy_unavailable",
                "Proxy unavailable",
                "The proxy does not answer now.");
        return new WebApplicationException(cause, unavailable.getResponse());
    }

    private static WebApplicationException of(StatementRefusedException refused) {
        String detail = words(refused);
        return switch (refused.sqlState()) {
            case "42501" -> forbidden(detail);
            case "55006" -> conflict(detail);
            case "0A000", "22023", "3F000", "42704", "55000" -> refused(detail);
            default -> throw refused; // nobody's request, but our fault
        };
    }

    private static String words(StatementRefusedException refused) {
        return Stream.of(refused.error(), refused.detail(), refused.hint())
                .filter(sentence -> !sentence.isEmpty())
                .map(sentence -> sentence.endsWith(".") ? sentence : sentence + ".")
                .collect(Collectors.joining(" "));
    }

    /** An answer without words gets those of its status. */
    static Response of(Response bare) {
        String reason = bare.getStatusInfo().getReasonPhrase();
        String code = reason.toLowerCase(Locale.ROOT).replaceAll("[^a-z]+", "_");
        return Response.fromResponse(bare)
                .type(MEDIA_TYPE)
                .entity(new Problem(reason, bare.getStatus(), code, "The API has nothing for this request."))
                .build();
    }

    /** Our fault; the log says more. */
    static Response internal() {
        Status status = Status.INTERNAL_SERVER_ERROR;
        return Response.status(status)
                .type(MEDIA_TYPE)
                .entity(new Problem(
                        "Internal error", status.getStatusCode(), "internal_error", "The service's log says more."))
                .build();
    }

    private static WebApplicationException exception(int status, String code, String title, String detail) {
        return new WebApplicationException(Response.status(status)
                .type(MEDIA_TYPE)
                .entity(new Problem(title, status, code, detail))
                .build());
    }
}
