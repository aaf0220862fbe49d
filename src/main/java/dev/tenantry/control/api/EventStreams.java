package dev.tenantry.control.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tenantry.store.CatalogUnavailableException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Streams of server-sent events (HTML standard, 9.2): something is looked at again and again on a virtual thread, and
 * told of when it has changed. A client that goes is noticed when something is next said, a few seconds later at most.
 */
@ApplicationScoped
public class EventStreams {

    /** The media type, for who asks for it; others get what else there is. */
    static final String MEDIA_TYPE = MediaType.SERVER_SENT_EVENTS + ";qs=0.1";

    private static final Logger LOG = Logger.getLogger(EventStreams.class);

    /** Each has a connection to the coordinator of its own. */
    private static final int AT_A_TIME = 16;

    private static final Duration LOOK = Duration.ofMillis(500);
    private static final Duration SILENCE_MAX = Duration.ofSeconds(5);

    private final ApiAccess access;
    private final ObjectMapper json;
    private final Semaphore turns = new Semaphore(AT_A_TIME);

    /** Writes objects as other answers have them. */
    public EventStreams(ApiAccess access, ObjectMapper json) {
        this.access = access;
        this.json = json;
    }

    /** What is looked at; used by one thread. */
    interface Watch extends AutoCloseable {

        /** What has changed since this was last asked, as it is now; at first, all. */
        List<?> changes();

        /** Whether nothing will change any more. */
        boolean isOver();

        @Override
        void close();
    }

    /**
     * The answer to a request for a stream.
     *
     * @param event what each event is called
     * @param opening opens what is looked at, on the thread that writes
     */
    Response stream(String event, Supplier<? extends Watch> opening) {
        if (turns.availablePermits() == 0) {
            throw Problem.tooManyStreams();
        }
        StreamingOutput output = out -> {
            if (turns.tryAcquire()) {
                try (Watch watch = opening.get()) {
                    write(out, event, watch);
                } catch (CatalogUnavailableException away) {
                    LOG.debugf("stream ends reason=%s", away.getMessage()); // the client asks again, and is told why
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                } finally {
                    turns.release();
                }
            }
        };
        return Response.ok(output, MediaType.SERVER_SENT_EVENTS_TYPE)
                .header("Cache-Control", "no-store")
                .build();
    }

    private void write(OutputStream out, String event, Watch watch) throws IOException, InterruptedException {
        long said = System.nanoTime() - SILENCE_MAX.toNanos(); // at once, so that the client knows that it is heard
        while (access.isOpen()) {
            StringBuilder text = new StringBuilder();
            for (Object changed : watch.changes()) {
                text.append("event: ").append(event).append("\ndata: ");
                text.append(json.writeValueAsString(changed)).append("\n\n");
            }
            if (text.isEmpty() && System.nanoTime() - said >= SILENCE_MAX.toNanos()) {
                text.append(":\n\n");
            }
            if (!text.isEmpty()) {
                out.write(text.toString().getBytes(StandardCharsets.UTF_8));
                out.flush();
                said = System.nanoTime();
            }
            if (watch.isOver()) {
                return;
            }
            Thread.sleep(LOOK);
        }
    }
}
