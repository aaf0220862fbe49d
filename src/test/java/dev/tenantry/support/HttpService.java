package dev.tenantry.support;

import dev.tenantry.embedded.FreePort;
import dev.tenantry.embedded.Superuser;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The service as people run it, a process over a coordinator and workers of this test's own, asked over HTTP. */
public final class HttpService implements AutoCloseable {

    /** The {@code Authorization} of the superuser. */
    public static final String ADMIN = basic(Superuser.DEFAULT.name(), Superuser.DEFAULT.password());

    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

    private final List<PostgresNode> nodes;
    private final boolean first;
    private final Map<String, String> environment;
    private final UpProcess process;
    private final int port = FreePort.draw();
    private final int httpPort = FreePort.draw();
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(ANSWER_MAX).build();

    private HttpService(List<PostgresNode> nodes, boolean first, Map<String, String> environment) {
        this.nodes = nodes;
        this.first = first;
        this.environment = environment;
        List<String> words =
                new ArrayList<>(List.of("--coordinator", nodes.getFirst().url()));
        nodes.subList(1, nodes.size())
                .forEach(node -> words.addAll(List.of("--worker", node.host() + ":" + node.port())));
        words.addAll(List.of("--port", Integer.toString(port), "--http-port", Integer.toString(httpPort)));
        process = UpProcess.launch(environment, words);
    }

    /** Starts servers and service, and waits until it is ready. */
    public static HttpService start(int workers) throws InterruptedException {
        return start(workers, Map.of());
    }

    /** Starts servers, and the service with these environment variables, and waits until it is ready. */
    public static HttpService start(int workers, Map<String, String> environment) throws InterruptedException {
        List<PostgresNode> nodes = IntStream.rangeClosed(0, workers)
                .parallel()
                .mapToObj(i -> PostgresNode.start(i == 0 ? "coordinator" : "worker" + i))
                .toList();
        HttpService service = new HttpService(nodes, true, environment);
        service.process.awaitReady();
        return service;
    }

    /** Starts another process over the same servers, with the same variables; close it before the first one. */
    public HttpService another() throws InterruptedException {
        HttpService service = new HttpService(nodes, false, environment);
        service.process.awaitReady();
        return service;
    }

    /** What HTTP Basic calls a role and its password. */
    public static String basic(String role, String password) {
        byte[] pair = (role + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    /** The coordinator first. */
    public List<PostgresNode> nodes() {
        return nodes;
    }

    /** The process. */
    public UpProcess process() {
        return process;
    }

    /** A connection through the proxy as the superuser. */
    public Connection connect() throws SQLException {
        return connectAs(Superuser.DEFAULT.name(), Superuser.DEFAULT.password());
    }

    /** A connection through the proxy as somebody else. */
    public Connection connectAs(String role, String password) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port + "/" + Superuser.DEFAULT.database()
                        + "?loginTimeout=20&socketTimeout=60",
                role,
                password);
    }

    /** Asks without saying who asks. */
    public HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(uri(path)));
    }

    /** Asks with an {@code Authorization}. */
    public HttpResponse<String> get(String path, String authorization) {
        return send(HttpRequest.newBuilder(uri(path)).header("Authorization", authorization));
    }

    /** Sends a body, JSON, with an {@code Authorization}. */
    public HttpResponse<String> post(String path, String authorization, String body) {
        return send(HttpRequest.newBuilder(uri(path))
                .header("Authorization", authorization)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /** Asks to delete, with an {@code Authorization}. */
    public HttpResponse<String> delete(String path, String authorization) {
        return send(HttpRequest.newBuilder(uri(path))
                .header("Authorization", authorization)
                .DELETE());
    }

    /** Asks for a stream of events as the superuser; its lines, as they come. Close it. */
    public HttpResponse<Stream<String>> stream(String path) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(uri(path))
                        .header("Authorization", ADMIN)
                        .header("Accept", "text/event-stream")
                        .timeout(ANSWER_MAX)
                        .build(),
                HttpResponse.BodyHandlers.ofLines());
    }

    /** Asks as the superuser and reads the answer as JSON. */
    public JsonObject json(String path) {
        return new JsonObject(get(path, ADMIN).body());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + httpPort + path);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return client.send(request.timeout(ANSWER_MAX).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    @Override
    public void close() {
        client.close();
        process.close();
        if (first) {
            nodes.parallelStream().forEach(PostgresNode::close);
        }
    }
}
