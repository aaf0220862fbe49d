package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A server that plays a node from a script: each connection runs it on a thread of its own. What goes wrong in a script
 * is thrown by {@link #close()}.
 */
public final class FakeNode implements AutoCloseable {

    private static final int READ_LIMIT_MILLIS = 20_000;

    private final ServerSocket listener;
    private final Script script;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private volatile boolean closing;

    /** What the node does with one connection. */
    @FunctionalInterface
    public interface Script {
        /** Runs to its end; the connection is closed after it. */
        void play(Peer peer) throws IOException;
    }

    private FakeNode(Script script) throws IOException {
        this.script = script;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** A node on a port of its own. */
    public static FakeNode start(Script script) {
        try {
            FakeNode node = new FakeNode(script);
            Thread.ofVirtual().name("fake-node").start(node::accept);
            return node;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where it listens. */
    public String host() {
        return listener.getInetAddress().getHostAddress();
    }

    /** Where it listens. */
    public int port() {
        return listener.getLocalPort();
    }

    private void accept() {
        while (!closing) {
            try {
                Socket socket = listener.accept();
                open.add(socket);
                Thread.ofVirtual().name("fake-node-connection").start(() -> play(socket));
            } catch (IOException e) {
                if (!closing) {
                    failures.add(e);
                }
                return;
            }
        }
    }

    private void play(Socket socket) {
        try (socket) {
            socket.setSoTimeout(READ_LIMIT_MILLIS);
            socket.setTcpNoDelay(true);
            script.play(new Peer(socket));
        } catch (IOException | RuntimeException | AssertionError e) {
            if (!closing) {
                failures.add(e);
            }
        } finally {
            open.remove(socket);
        }
    }

    /** Ends all connections and tells what went wrong in a script. */
    @Override
    public void close() {
        closing = true;
        try {
            listener.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertThat(failures).as("failures of the script").isEmpty();
    }

    /** The other end of one connection, as the script sees it. */
    public static final class Peer {

        private static final int SSL_REQUEST = 80877103;
        private static final int CANCEL_REQUEST = 80877102;

        private final Socket socket;
        private DataInputStream in;
        private OutputStream out;

        private Peer(Socket socket) throws IOException {
            this.socket = socket;
            this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            this.out = socket.getOutputStream();
        }

        /** Reads the start-up message, saying no to encryption before; returns its parameters. */
        public Map<String, String> readStartup() throws IOException {
            while (true) {
                ByteBuffer packet = readStartupPacket();
                int code = packet.getInt();
                if (code >>> 16 == 1234) {
                    raw(new byte[] {'N'});
                } else {
                    Map<String, String> parameters = new LinkedHashMap<>();
                    for (String name = Message.string(packet); !name.isEmpty(); name = Message.string(packet)) {
                        parameters.put(name, Message.string(packet));
                    }
                    return parameters;
                }
            }
        }

        /** Reads a request for TLS, which must come first, says yes and does the handshake. */
        public void acceptTls(TestCertificate certificate) throws IOException {
            assertThat(readStartupPacket().getInt()).as("request for TLS").isEqualTo(SSL_REQUEST);
            raw(new byte[] {'S'});
            Socket encrypted = certificate.serving(socket);
            in = new DataInputStream(new BufferedInputStream(encrypted.getInputStream()));
            out = encrypted.getOutputStream();
        }

        /** Reads a cancel request, which must name this backend. */
        public void readCancel(int processId, int secretKey) throws IOException {
            ByteBuffer packet = readStartupPacket();
            assertThat(packet.getInt()).as("cancel request").isEqualTo(CANCEL_REQUEST);
            assertThat(packet.getInt()).as("process id").isEqualTo(processId);
            assertThat(packet.getInt()).as("secret key").isEqualTo(secretKey);
            assertThat(packet.remaining()).isZero();
        }

        /** Reads a packet without a type byte and returns its body. */
        public ByteBuffer readStartupPacket() throws IOException {
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            return ByteBuffer.wrap(body);
        }

        /** Reads the start-up message and lets everybody in, as PostgreSQL 18 would. */
        public Map<String, String> acceptTrusting(int processId, int secretKey) throws IOException {
            Map<String, String> startup = readStartup();
            send('R', new MessageWriter().int32(0));
            parameter("server_version", "18.0");
            parameter("server_encoding", "UTF8");
            parameter("client_encoding", startup.getOrDefault("client_encoding", "UTF8"));
            parameter("standard_conforming_strings", "on");
            parameter("integer_datetimes", "on");
            parameter("DateStyle", "ISO, MDY");
            parameter("TimeZone", "UTC");
            send('K', new MessageWriter().int32(processId).int32(secretKey));
            ready('I');
            return startup;
        }

        /** Reads the next message. */
        public Message read() throws IOException {
            char type = (char) in.readUnsignedByte();
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            return new Message(type, body);
        }

        /** Reads the next message, which must be of a type. */
        public Message expect(char type) throws IOException {
            Message message = read();
            assertThat(message.type()).as("type of %s", message).isEqualTo(type);
            return message;
        }

        /** Reads messages of these types, one after another. */
        public void expectAll(String types) throws IOException {
            for (int i = 0; i < types.length(); i++) {
                expect(types.charAt(i));
            }
        }

        /** Waits until the other side has ended the connection, whatever it says before. */
        public void awaitEnd() throws IOException {
            in.transferTo(OutputStream.nullOutputStream());
        }

        /** Waits until the other side has ended the connection, or fails. */
        public void expectEnd() throws IOException {
            assertThat(in.read()).as("a byte instead of the end").isEqualTo(-1);
        }

        /** Sends a message. */
        public void send(char type, MessageWriter body) throws IOException {
            raw(body.toMessage(type));
        }

        /** Sends any bytes. */
        public void raw(byte[] bytes) throws IOException {
            out.write(bytes);
            out.flush();
        }

        /** Sends a ParameterStatus. */
        public void parameter(String name, String value) throws IOException {
            send('S', new MessageWriter().string(name).string(value));
        }

        /** Sends a ReadyForQuery. */
        public void ready(char status) throws IOException {
            send('Z', new MessageWriter().int8(status));
        }

        /** Sends a RowDescription of text columns. */
        public void describeRow(String... columns) throws IOException {
            MessageWriter body = new MessageWriter().int16(columns.length);
            for (String column : columns) {
                body.string(column)
                        .int32(0)
                        .int16(0)
                        .int32(25)
                        .int16(-1)
                        .int32(-1)
                        .int16(0);
            }
            send('T', body);
        }

        /** Sends a DataRow; null is NULL. */
        public void row(@Nullable String... values) throws IOException {
            MessageWriter body = new MessageWriter().int16(values.length);
            for (String value : values) {
                if (value == null) {
                    body.int32(-1);
                } else {
                    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                    body.int32(bytes.length).bytes(bytes);
                }
            }
            send('D', body);
        }

        /** Takes the BEGIN that goes before a statement of the client's, and answers it. */
        public void begins() throws IOException {
            expectAll("PBEC");
            send('1', new MessageWriter());
            send('2', new MessageWriter());
            complete("BEGIN");
            send('3', new MessageWriter());
        }

        /** Sends a CommandComplete. */
        public void complete(String tag) throws IOException {
            send('C', new MessageWriter().string(tag));
        }

        /** Sends an ErrorResponse. */
        public void error(String severity, String sqlState, String message) throws IOException {
            send(
                    'E',
                    new MessageWriter()
                            .int8('S')
                            .string(severity)
                            .int8('V')
                            .string(severity)
                            .int8('C')
                            .string(sqlState)
                            .int8('M')
                            .string(message)
                            .int8(0));
        }
    }
}
