package dev.tenantry.proxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.net.FrameHandler.Verdict;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameCutterTest {
    private final Recorder recorder = new Recorder();
    private final FrameCutter cutter = new FrameCutter(recorder, UnpooledByteBufAllocator.DEFAULT);

    @Test
    void forwardsARunOfMessagesAsOnePiece() {
        cutter.feed(bytes(message('D', 10), message('D', 20), message('C', 5)));
        assertThat(recorder.pieces).isEqualTo(1);
        assertThat(recorder.forwarded.readableBytes()).isEqualTo(10 + 20 + 5 + 15);
    }

    @Test
    void looksAgainAtAMessageThatWasToldToWait() {
        recorder.verdicts.put('Q', Verdict.WAIT);
        cutter.feed(bytes(message('D', 3), message('Q', 4), message('D', 1)));
        assertThat(cutter.isWaiting()).isTrue();
        assertThat(recorder.seen).isEqualTo("DQ");
        recorder.verdicts.put('Q', Verdict.SKIP);
        cutter.resume();
        assertThat(recorder.seen).isEqualTo("DQQD");
        assertThat(recorder.forwarded.readableBytes()).isEqualTo(8 + 6);
    }

    @Test
    void passesALongBodyPieceByPiece() {
        ByteBuf whole = bytes(message('d', 100_000), message('c', 0));
        while (whole.isReadable()) {
            int take = Math.min(777, whole.readableBytes());
            cutter.feed(whole.readBytes(take));
            assertThat(recorder.forwarded.readableBytes()).isGreaterThan(whole.readerIndex() - 777 - 5);
        }
        whole.release();
        assertThat(recorder.seen).isEqualTo("dc");
    }

    @Test
    void endsAtAnImpossibleLength() {
        cutter.feed(bytes(message('D', 3), new byte[] {'Q', 0, 0, 0, 3}, message('D', 3)));
        assertThat(recorder.malformed).isEqualTo(3);
        assertThat(recorder.seen).isEqualTo("D");
        assertThat(recorder.forwarded.readableBytes()).isEqualTo(8);
    }

    @Test
    void decidesTheSameWhateverTheChunks() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            Recorder expected = new Recorder();
            Recorder cut = new Recorder();
            List<byte[]> messages = new ArrayList<>();
            for (int i = 0; i < 1 + random.nextInt(20); i++) {
                messages.add(message("DQSPBE".charAt(random.nextInt(6)), random.nextInt(400)));
            }
            for (Recorder each : List.of(expected, cut)) {
                each.verdicts.put('Q', Verdict.WHOLE);
                each.verdicts.put('S', Verdict.SKIP);
                each.verdicts.put('P', Verdict.WHOLE);
            }
            byte[][] all = messages.toArray(byte[][]::new);
            FrameCutter atOnce = new FrameCutter(expected, UnpooledByteBufAllocator.DEFAULT);
            atOnce.feed(bytes(all));
            FrameCutter inPieces = new FrameCutter(cut, UnpooledByteBufAllocator.DEFAULT);
            ByteBuf rest = bytes(all);
            while (rest.isReadable()) {
                inPieces.feed(rest.readBytes(Math.min(1 + random.nextInt(60), rest.readableBytes())));
            }
            rest.release();
            assertThat(cut.whole.toString()).as("seed %d", seed).isEqualTo(expected.whole.toString());
            assertThat(ByteBufUtil.hexDump(cut.forwarded))
                    .as("seed %d", seed)
                    .isEqualTo(ByteBufUtil.hexDump(expected.forwarded));
        }
    }

    @Test
    void survivesAnyBytes() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            FrameCutter any = new FrameCutter(new Recorder(), UnpooledByteBufAllocator.DEFAULT);
            for (int i = 0; i < 10; i++) {
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                any.feed(Unpooled.copiedBuffer(noise));
            }
            any.close();
        }
        assertThat(seed).as("seed").isNotNull();
    }

    private static byte[] message(char type, int body) {
        ByteBuf out = Unpooled.buffer();
        out.writeByte(type).writeInt(4 + body);
        for (int i = 0; i < body; i++) {
            out.writeByte(i);
        }
        return ByteBufUtil.getBytes(out);
    }

    private static ByteBuf bytes(byte[]... parts) {
        return Unpooled.copiedBuffer(parts);
    }

    private static final class Recorder implements FrameHandler {
        private final Map<Character, Verdict> verdicts = new HashMap<>();
        private final ByteBuf forwarded = Unpooled.buffer();
        private final StringBuilder whole = new StringBuilder();
        private String seen = "";
        private int pieces;
        private int malformed;

        @Override
        public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
            assertThat(available).isLessThanOrEqualTo(frameLength);
            Verdict verdict = verdicts.getOrDefault((char) type, Verdict.FORWARD);
            if (verdict != Verdict.WHOLE) {
                seen += (char) type;
            }
            return verdict;
        }

        @Override
        public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
            whole.append((char) type).append(ByteBufUtil.hexDump(in, index, frameLength));
            return type == 'P' ? Verdict.FORWARD : Verdict.SKIP;
        }

        @Override
        public void forward(ByteBuf run) {
            pieces++;
            forwarded.writeBytes(run);
            run.release();
        }

        @Override
        public void malformed(byte type, int length) {
            malformed = length;
        }
    }
}
