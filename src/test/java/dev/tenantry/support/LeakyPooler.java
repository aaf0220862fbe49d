package dev.tenantry.support;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A pooler with the fault that Tenantry must never have: all clients share one connection to a node, from one
 * transaction to the next, and nothing is put back in between. It lets everybody in, answers cancel requests with
 * silence, and knows no TLS.
 */
public final class LeakyPooler implements AutoCloseable {
    private static final int CANCEL_REQUEST = 80877102;
    private static final int SSL_REQUEST = 80877103;

    private final ServerSocket listener;
    private final RawClient backend;
    private final ReentrantLock turn = new ReentrantLock();

    private LeakyPooler(RawClient backend) throws IOException {
        this.backend = backend;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    /** Before this connection. */
    public static LeakyPooler before(RawClient backend) {
        try {
            return new LeakyPooler(backend);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Where it listens: loopback. */
    public int port() {
        return listener.getLocalPort();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            OutputStream out = client.getOutputStream();
            ByteBuffer startup = packet(in);
            if (startup.getInt(0) == SSL_REQUEST) {
                out.write('N');
                startup = packet(in);
            }
            if (startup.getInt(0) != CANCEL_REQUEST) {
                out.write(message('R', 0, 0, 0, 0));
                out.write(message('Z', 'I'));
                while (relay(in, out)) {
                    // one transaction after the other
                }
            }
        } catch (IOException | UncheckedIOException gone) {
            // so is its session
        }
    }

    private static ByteBuffer packet(DataInputStream in) throws IOException {
        byte[] packet = new byte[in.readInt() - 4];
        in.readFully(packet);
        return ByteBuffer.wrap(packet);
    }

    /** Whatever the client does until its transaction has ended. */
    private boolean relay(DataInputStream in, OutputStream out) throws IOException {
        byte[] first = frame(in);
        if (first[0] == 'X') {
            return false;
        }
        turn.lock();
        boolean idle = false;
        try {
            byte[] next = first;
            while (!idle) {
                backend.raw(next);
                if (next[0] == 'Q' || next[0] == 'S') {
                    idle = answer(in, out);
                }
                next = idle ? next : frame(in);
            }
        } finally {
            if (!idle) {
                backend.run("ROLLBACK");
            }
            turn.unlock();
        }
        return true;
    }

    private boolean answer(DataInputStream in, OutputStream out) throws IOException {
        while (true) {
            Message message = backend.read();
            out.write(message(message.type(), message.body()));
            if (message.type() == 'Z') {
                return message.text().equals("I");
            }
            if (message.type() == 'G') {
                byte[] copied;
                do {
                    copied = frame(in);
                    backend.raw(copied);
                } while (copied[0] == 'd');
                backend.flushOut();
            }
        }
    }

    private static byte[] frame(DataInputStream in) throws IOException {
        byte type = in.readByte();
        byte[] body = new byte[in.readInt() - 4];
        in.readFully(body);
        return message((char) type, body);
    }

    private static byte[] message(char type, int... body) {
        byte[] bytes = new byte[body.length];
        for (int i = 0; i < body.length; i++) {
            bytes[i] = (byte) body[i];
        }
        return message(type, bytes);
    }

    private static byte[] message(char type, byte[] body) {
        return ByteBuffer.allocate(5 + body.length)
                .put((byte) type)
                .putInt(4 + body.length)
                .put(body)
                .array();
    }

    /** Ends it, and its connection. */
    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } finally {
            backend.close();
        }
    }
}
