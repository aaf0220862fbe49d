package dev.tenantry.client;

import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.auth.ScramSecrets;
import dev.tenantry.wire.AuthenticationRequest;
import dev.tenantry.wire.ErrorFields;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A blocking client that says one thing after another. What is said is kept until something is read. Reads fail after a
 * minute, unless they are told otherwise. Not thread-safe, but for {@link #cancel()}.
 */
public final class WireClient implements AutoCloseable {
    private static final int ANSWER_MAX_MILLIS = 60_000;
    private static final int MESSAGE_MAX = 1 << 24;

    private final ServerAddress server;
    private final ClientSocket connection;
    private final Socket socket;
    private final DataInputStream in;
    private final ByteBuf unsent = Unpooled.buffer();
    private int processId;
    private byte[] secretKey = {};
    private int parsed;
    private char status = 'I';
    private Consumer<String> notices = sentence -> {};

    /** The server does not let us in. */
    public static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;
        private final transient Answer answer;

        private RefusedException(Answer answer) {
            super(answer.toString());
            this.answer = answer;
        }

        /** The server's error. */
        public Answer answer() {
            return answer;
        }
    }

    private WireClient(ServerAddress server) throws IOException {
        this.server = server;
        this.connection = ClientSocket.open(server, ANSWER_MAX_MILLIS);
        this.socket = connection.socket();
        try {
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        } catch (IOException failed) {
            connection.plain().close();
            throw failed;
        }
    }

    /**
     * Signs in, encrypted as the address says.
     *
     * @param startup parameters of the start-up message besides user and database
     * @throws RefusedException if the server does not let us in
     * @throws InsecureException if the connection can't be as secure as the address asks for
     */
    public static WireClient open(ServerAddress server, Map<String, String> startup) throws IOException {
        WireClient client = new WireClient(server);
        try {
            client.signIn(startup);
            return client;
        } catch (IOException | RuntimeException failed) {
            client.abandon();
            throw failed;
        }
    }

    private void signIn(Map<String, String> startup) throws IOException {
        Map<String, String> parameters = new LinkedHashMap<>(startup);
        parameters.put("user", server.user());
        parameters.put("database", server.database());
        FrontendMessages.startup(unsent, parameters);
        ScramClient scram = new ScramClient(
                server.user(),
                new ScramClient.Credentials.Password(server.password()),
                ScramSecrets.random(),
                connection.serverEndPoint());
        while (true) {
            ByteBuf message = read();
            switch ((char) message.getByte(0)) {
                case 'R' -> authenticate(scram, message);
                case 'K' -> {
                    processId = message.getInt(5);
                    secretKey = new byte[message.readableBytes() - 9];
                    message.getBytes(9, secretKey);
                }
                case 'E' -> throw new RefusedException(error(message));
                case 'Z' -> {
                    status = (char) message.getByte(5);
                    return;
                }
                default -> {
                    // parameters and notices
                }
            }
        }
    }

    private void authenticate(ScramClient scram, ByteBuf message) throws IOException {
        try {
            message.skipBytes(5);
            switch (scram.onRequest(AuthenticationRequest.parse(message))) {
                case ScramClient.Step.Send send -> unsent.writeBytes(send.message());
                case ScramClient.Step.Failed failed ->
                    throw new IOException(failed.failure().toString());
                case ScramClient.Step.Wait _, ScramClient.Step.SignedIn _ -> {}
            }
        } catch (ProtocolViolation violation) {
            throw new IOException(violation);
        }
    }

    // --- what it says -----------------------------------------------------------------------------------------------

    /** Query. */
    public WireClient query(String sql) {
        FrontendMessages.query(unsent, sql);
        return this;
    }

    /** Parse. */
    public WireClient parse(String name, String sql) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        FrontendMessages.parse(unsent, name, text, 0, text.length);
        return this;
    }

    /** Bind of a statement to the unnamed portal, with parameters as text, and Execute. */
    public WireClient execute(String statement, String... parameters) {
        byte[][] values = new byte[parameters.length][];
        for (int i = 0; i < parameters.length; i++) {
            values[i] = parameters[i].getBytes(StandardCharsets.UTF_8);
        }
        FrontendMessages.bind(unsent, statement, values);
        FrontendMessages.execute(unsent);
        return this;
    }

    /** Sync. */
    public WireClient sync() {
        FrontendMessages.bodiless(unsent, FrontendType.SYNC);
        return this;
    }

    /** CopyData, of ASCII. */
    public WireClient copyData(String text) {
        unsent.writeByte(FrontendType.COPY_DATA).writeInt(4 + text.length());
        unsent.writeCharSequence(text, StandardCharsets.US_ASCII);
        return this;
    }

    /** CopyDone. */
    public WireClient copyDone() {
        FrontendMessages.bodiless(unsent, FrontendType.COPY_DONE);
        return this;
    }

    /** CopyFail. */
    public WireClient copyFail() {
        unsent.writeByte(FrontendType.COPY_FAIL).writeInt(5).writeByte(0);
        return this;
    }

    /** Sends what has been said. */
    public void send() throws IOException {
        byte[] bytes = new byte[unsent.readableBytes()];
        unsent.readBytes(bytes);
        unsent.clear();
        socket.getOutputStream().write(bytes);
    }

    /** Asks, over a connection of its own, to cancel what runs here; returns when the server has taken note. */
    public void cancel() throws IOException {
        try (WireClient canceller = new WireClient(server)) {
            FrontendMessages.cancelRequest(canceller.unsent, processId, secretKey);
            canceller.send();
            while (canceller.in.read() >= 0) {
                // says nothing, and closes
            }
        }
    }

    // --- what it hears ----------------------------------------------------------------------------------------------

    /** One statement, and the answer to it. */
    public Answer ask(String sql) throws IOException {
        List<Answer> answers = query(sql).answers();
        return answers.getLast();
    }

    /** The same, for one that must not fail. */
    public List<List<@Nullable String>> mustRun(String sql) throws IOException {
        Answer answer = ask(sql);
        if (answer.failed()) {
            throw new IOException(sql + ": " + answer);
        }
        return answer.rows();
    }

    /** What comes up to ReadyForQuery, an answer a statement; the data of a COPY from us is to have been said. */
    public List<Answer> answers() throws IOException {
        List<Answer> answers = new ArrayList<>();
        List<List<@Nullable String>> rows = new ArrayList<>();
        parsed = 0;
        while (true) {
            ByteBuf message = read();
            switch ((char) message.getByte(0)) {
                case '1' -> parsed++;
                case 'D' -> rows.add(row(message));
                case 'd' -> rows.add(copied(message));
                case 'C' -> {
                    answers.add(new Answer(string(message, 5), false, List.copyOf(rows), ""));
                    rows.clear();
                }
                case 'E' -> {
                    answers.add(error(message));
                    rows.clear();
                }
                case 'Z' -> {
                    status = (char) message.getByte(5);
                    return answers;
                }
                case 'N' -> notices.accept(sentence(message));
                default -> {
                    // what says nothing new: descriptions, parameters, confirmations
                }
            }
        }
    }

    /** Reads wait that long from now on. */
    public WireClient answersWithin(Duration wait) throws IOException {
        socket.setSoTimeout(Math.toIntExact(wait.toMillis()));
        return this;
    }

    /** Who is told of notices, each in one line. */
    public WireClient tellNotices(Consumer<String> told) {
        notices = told;
        return this;
    }

    /** How many statements the last answers said are prepared by Parse. */
    public int parsed() {
        return parsed;
    }

    /** The transaction status of the last ReadyForQuery. */
    public char status() {
        return status;
    }

    private ByteBuf read() throws IOException {
        if (unsent.isReadable()) {
            send();
        }
        byte type = in.readByte();
        int length = in.readInt();
        if (length < 4 || length > MESSAGE_MAX) {
            throw new IOException("a message of type " + (char) type + " with a length of " + length);
        }
        ByteBuf message = Unpooled.buffer(1 + length).writeByte(type).writeInt(length);
        byte[] body = new byte[length - 4];
        in.readFully(body);
        return message.writeBytes(body);
    }

    private static List<@Nullable String> row(ByteBuf message) {
        message.readerIndex(5);
        List<@Nullable String> row = new ArrayList<>();
        for (int i = message.readShort(); i > 0; i--) {
            int length = message.readInt();
            row.add(
                    length < 0
                            ? null
                            : message.readCharSequence(length, StandardCharsets.UTF_8)
                                    .toString());
        }
        return row;
    }

    private static List<@Nullable String> copied(ByteBuf message) {
        String line = message.toString(5, message.writerIndex() - 5, StandardCharsets.UTF_8);
        return List.of(line.strip().split("\t", -1));
    }

    private static Answer error(ByteBuf message) {
        int length = message.writerIndex();
        return new Answer(ErrorFields.field(message, 0, length, 'C'), true, List.of(), sentence(message));
    }

    /** What it says, with detail and hint, in one line. */
    private static String sentence(ByteBuf message) {
        int length = message.writerIndex();
        String detail = ErrorFields.field(message, 0, length, 'D');
        String hint = ErrorFields.field(message, 0, length, 'H');
        return ErrorFields.field(message, 0, length, 'M')
                + (detail.isEmpty() ? "" : ": " + detail)
                + (hint.isEmpty() ? "" : " (" + hint + ")");
    }

    private static String string(ByteBuf message, int from) {
        return message.toString(from, message.writerIndex() - from - 1, StandardCharsets.UTF_8);
    }

    // --- how it goes ------------------------------------------------------------------------------------------------

    /** Goes without a word, as a process that is killed. */
    public void abandon() {
        try {
            connection.plain().close();
        } catch (IOException closedAlready) {
            throw new IllegalStateException(closedAlready);
        }
    }

    /** Says Terminate, if it can still be said. */
    @Override
    public void close() {
        try {
            unsent.clear();
            FrontendMessages.bodiless(unsent, FrontendType.TERMINATE);
            send();
        } catch (IOException gone) {
            status = 'I'; // so nobody is left to take leave of
        } finally {
            abandon();
        }
    }
}
