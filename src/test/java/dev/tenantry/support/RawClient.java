package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A blocking client that says exactly what a test tells it to, right or wrong. What is said is kept until something is
 * read, or until {@link #flushOut()}, so that a batch leaves in one piece. Its SCRAM is not our own, so that it proves
 * ours. Reads fail after 20 s. Not thread-safe.
 */
public final class RawClient implements AutoCloseable {

    /** Protocol 3.0. */
    public static final int PROTOCOL_3_0 = 3 << 16;

    /** Protocol 3.2. */
    public static final int PROTOCOL_3_2 = 3 << 16 | 2;

    private static final int READ_LIMIT_MILLIS = 20_000;
    private static final int SSL_REQUEST = 80877103;
    private static final int GSS_ENC_REQUEST = 80877104;
    private static final int CANCEL_REQUEST = 80877102;

    private final ByteArrayOutputStream unsent = new ByteArrayOutputStream();
    private final Map<String, String> parameters = new LinkedHashMap<>();
    private Socket socket;
    private DataInputStream in;
    private OutputStream out;
    private int processId;
    private byte[] secretKey = {};
    private String mechanism = "";

    private RawClient(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        this.out = socket.getOutputStream();
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(READ_LIMIT_MILLIS);
    }

    /** A connection over which nothing has been said. */
    public static RawClient connect(String host, int port) {
        try {
            Socket socket = new Socket();
            socket.connect(new InetSocketAddress(host, port), READ_LIMIT_MILLIS);
            return new RawClient(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A connection that begins with TLS at once and offers these protocols by ALPN. */
    public static RawClient connectTls(String host, int port, String... protocols) {
        RawClient client = connect(host, port);
        client.startTls(protocols);
        return client;
    }

    /** A signed-in session without TLS. */
    public static RawClient login(String host, int port, String user, String password, String database) {
        return connect(host, port).signIn(PROTOCOL_3_0, password, Map.of("user", user, "database", database));
    }

    // ---- start

    /** Asks for TLS and returns the answer. */
    public char requestSsl() {
        return request(SSL_REQUEST);
    }

    /** Asks for GSSAPI encryption and returns the answer. */
    public char requestGssEncryption() {
        return request(GSS_ENC_REQUEST);
    }

    private char request(int code) {
        raw(new MessageWriter().int32(code).toStartupPacket());
        return (char) readByte();
    }

    /** Does the TLS handshake, trusting everybody. */
    public void startTls(String... protocols) {
        try {
            socket = TestCertificate.trustingEverybody(socket, protocols);
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            out = socket.getOutputStream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says a start-up message. */
    public RawClient startup(int version, Map<String, String> startupParameters) {
        MessageWriter packet = new MessageWriter().int32(version);
        startupParameters.forEach((name, value) -> packet.string(name).string(value));
        raw(packet.int8(0).toStartupPacket());
        return this;
    }

    /** Says a start-up message, authenticates and reads to the first ReadyForQuery; fails if refused. */
    public RawClient signIn(int version, String password, Map<String, String> startupParameters) {
        List<Message> refused = trySignIn(version, password, startupParameters);
        assertThat(refused).as("refused").isEmpty();
        return this;
    }

    /** The same, but returns the error if refused, and nothing if signed in. */
    public List<Message> trySignIn(int version, String password, Map<String, String> startupParameters) {
        startup(version, startupParameters);
        while (true) {
            Message message = read();
            switch (message.type()) {
                case 'R' -> authenticate(message.reader(), password);
                case 'S' -> {
                    List<String> pair = message.strings();
                    parameters.put(pair.get(0), pair.get(1));
                }
                case 'K' -> {
                    ByteBuffer key = message.reader();
                    processId = key.getInt();
                    secretKey = new byte[key.remaining()];
                    key.get(secretKey);
                }
                case 'v', 'N' -> {
                    // told by the tests that ask for it
                }
                case 'Z' -> {
                    return List.of();
                }
                case 'E' -> {
                    return List.of(message);
                }
                default -> throw new AssertionError("unexpected during start: " + message);
            }
        }
    }

    private void authenticate(ByteBuffer request, String password) {
        int code = request.getInt();
        switch (code) {
            case 0 -> {
                // signed in
            }
            case 3 -> message('p', new MessageWriter().string(password));
            case 10 -> mechanism = RawScram.run(this, request, password);
            default -> throw new AssertionError("unexpected authentication request " + code);
        }
    }

    /** Asks, over this connection, to cancel what another runs. */
    public void requestCancel(int victimsProcessId, byte[] victimsKey) {
        raw(new MessageWriter()
                .int32(CANCEL_REQUEST)
                .int32(victimsProcessId)
                .bytes(victimsKey)
                .toStartupPacket());
        flushOut();
    }

    // ---- say

    /** A simple query. */
    public RawClient query(String sql) {
        return message('Q', new MessageWriter().string(sql));
    }

    /** Parse, with as many parameter types as the test cares to give. */
    public RawClient parse(String name, String sql, int... types) {
        MessageWriter body = new MessageWriter().string(name).string(sql).int16(types.length);
        for (int type : types) {
            body.int32(type);
        }
        return message('P', body);
    }

    /** Bind with parameters as text, null for NULL, and results as text. */
    public RawClient bind(String portal, String statement, @Nullable String... values) {
        MessageWriter body =
                new MessageWriter().string(portal).string(statement).int16(0).int16(values.length);
        for (String value : values) {
            if (value == null) {
                body.int32(-1);
            } else {
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                body.int32(bytes.length).bytes(bytes);
            }
        }
        return message('B', body.int16(0));
    }

    /** Describe of a statement ({@code S}) or portal ({@code P}). */
    public RawClient describe(char kind, String name) {
        return message('D', new MessageWriter().int8(kind).string(name));
    }

    /** Execute, with a limit of rows, 0 for none. */
    public RawClient execute(String portal, int rows) {
        return message('E', new MessageWriter().string(portal).int32(rows));
    }

    /** Close of a statement ({@code S}) or portal ({@code P}). */
    public RawClient close(char kind, String name) {
        return message('C', new MessageWriter().int8(kind).string(name));
    }

    /** Sync. */
    public RawClient sync() {
        return message('S', new MessageWriter());
    }

    /** Flush, the message. */
    public RawClient flush() {
        return message('H', new MessageWriter());
    }

    /** One CopyData. */
    public RawClient copyData(String text) {
        return message('d', new MessageWriter().bytes(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** CopyDone. */
    public RawClient copyDone() {
        return message('c', new MessageWriter());
    }

    /** CopyFail. */
    public RawClient copyFail(String reason) {
        return message('f', new MessageWriter().string(reason));
    }

    /** FunctionCall with arguments as text. */
    public RawClient callFunction(int oid, String... arguments) {
        MessageWriter body = new MessageWriter().int32(oid).int16(0).int16(arguments.length);
        for (String argument : arguments) {
            byte[] bytes = argument.getBytes(StandardCharsets.UTF_8);
            body.int32(bytes.length).bytes(bytes);
        }
        return message('F', body.int16(0));
    }

    /** Terminate. */
    public RawClient terminate() {
        return message('X', new MessageWriter());
    }

    /** Any message. */
    public RawClient message(char type, MessageWriter body) {
        return raw(body.toMessage(type));
    }

    /** Any bytes. */
    public RawClient raw(byte[] bytes) {
        unsent.writeBytes(bytes);
        return this;
    }

    /** Lets everything said so far leave. */
    public RawClient flushOut() {
        if (unsent.size() == 0) {
            return this;
        }
        try {
            out.write(unsent.toByteArray());
            out.flush();
            unsent.reset();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes at once, past what is kept; the one method that may be called while another thread reads. */
    public void push(byte[] bytes) {
        try {
            out.write(bytes);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends our direction and goes on listening. */
    public void shutdownOutput() {
        flushOut();
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- listen

    private @Nullable Message pushedBack;

    void pushBack(Message message) {
        pushedBack = message;
    }

    /** The next message. */
    public Message read() {
        Message before = pushedBack;
        if (before != null) {
            pushedBack = null;
            return before;
        }
        flushOut();
        try {
            char type = (char) in.readUnsignedByte();
            int length = in.readInt();
            assertThat(length).as("length word of message %s", type).isGreaterThanOrEqualTo(4);
            byte[] body = new byte[length - 4];
            in.readFully(body);
            return new Message(type, body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the head of the next message, which must be of a type, and returns how long its body is. */
    public int readHead(char type) {
        flushOut();
        try {
            assertThat((char) in.readUnsignedByte()).isEqualTo(type);
            return in.readInt() - 4;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads so many bytes and keeps none of them. */
    public void passOver(int bytes) {
        try {
            in.skipNBytes(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All messages up to the first of a type, that one included. */
    public List<Message> readUntil(char type) {
        List<Message> messages = new ArrayList<>();
        Message message;
        do {
            message = read();
            messages.add(message);
        } while (message.type() != type);
        return messages;
    }

    /** All messages up to the next ReadyForQuery. */
    public List<Message> readUntilReady() {
        return readUntil('Z');
    }

    /** Runs a simple query and returns all it answers. */
    public List<Message> run(String sql) {
        return query(sql).readUntilReady();
    }

    /** Runs a simple query that must not fail and returns all it answers. */
    public List<Message> succeed(String sql) {
        List<Message> answer = run(sql);
        assertThat(answer).as(sql).noneMatch(message -> message.type() == 'E');
        return answer;
    }

    /** Runs a simple query that must not fail and returns the first column of its first row, which is not NULL. */
    public String value(String sql) {
        return Objects.requireNonNull(Message.rows(succeed(sql)).getFirst().getFirst(), sql);
    }

    /** All messages up to the end of the connection. */
    public List<Message> readToEnd() {
        List<Message> messages = new ArrayList<>();
        while (true) {
            try {
                messages.add(read());
            } catch (UncheckedIOException e) {
                if (e.getCause() instanceof EOFException || isReset(e)) {
                    return messages;
                }
                throw e;
            }
        }
    }

    /** All bytes up to the end of the connection, a character each. */
    public String readRawToEnd() {
        flushOut();
        try {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (SocketException reset) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isReset(UncheckedIOException e) {
        return e.getCause() instanceof SocketException;
    }

    /** Whether something has come that was not read yet; does not wait. */
    public boolean hasInput() {
        try {
            return pushedBack != null || in.available() > 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next byte, for answers that are no messages. */
    public int readByte() {
        flushOut();
        try {
            return in.readUnsignedByte();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- know

    /** The server's certificate, if the connection is encrypted. */
    public Optional<X509Certificate> serverCertificate() {
        try {
            return socket instanceof SSLSocket tls
                    ? Optional.of((X509Certificate) tls.getSession().getPeerCertificates()[0])
                    : Optional.empty();
        } catch (SSLPeerUnverifiedException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the server reported at the start. */
    public Map<String, String> parameters() {
        return parameters;
    }

    /** The number to cancel this session by. */
    public int processId() {
        return processId;
    }

    /** The key to cancel this session by. */
    public byte[] secretKey() {
        return secretKey.clone();
    }

    /** The SASL mechanism it signed in by, or nothing. */
    public String mechanism() {
        return mechanism;
    }

    /** Drops the connection without a word; what was not sent is lost. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Drops the connection with a reset. */
    public void reset() {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
