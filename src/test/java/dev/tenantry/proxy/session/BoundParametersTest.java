package dev.tenantry.proxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BoundParametersTest {

    @Test
    void readsTextAndNull() {
        ByteBuf in = Unpooled.buffer();
        in.writeShort(1).writeShort(0).writeShort(3);
        in.writeInt(4).writeBytes("acme".getBytes(StandardCharsets.UTF_8));
        in.writeInt(-1);
        in.writeInt(0);
        in.writeShort(0);
        BoundParameters bound = BoundParameters.read(in, 0, in.writerIndex(), StandardCharsets.UTF_8);
        assertThat(bound.text(1)).isEqualTo("acme");
        assertThat(bound.text(2)).isNull();
        assertThat(bound.text(3)).isEmpty();
        assertThat(bound.text(4)).isNull();
        assertThat(bound.isNull(2)).isTrue();
        assertThat(bound.isNull(3)).isFalse();
        assertThat(bound.isNull(4)).isFalse();
    }

    @Test
    void takesNoLongValueForNull() {
        ByteBuf in = Unpooled.buffer().writeShort(0).writeShort(2);
        in.writeInt(65_536).writeZero(65_536).writeInt(65_537).writeZero(65_537).writeShort(0);
        BoundParameters bound = BoundParameters.read(in, 0, in.writerIndex(), StandardCharsets.UTF_8);
        assertThat(bound.text(1)).hasSize(65_536);
        assertThat(bound.text(2)).isNull();
        assertThat(bound.isNull(2)).isFalse();
    }

    @Test
    void readsValuesInTheEncodingOfTheClient() {
        ByteBuf in = Unpooled.buffer().writeShort(0).writeShort(2);
        in.writeInt(1).writeByte(0xe9).writeInt(1).writeByte(0xe8).writeShort(0);
        assertThat(BoundParameters.read(in, 0, in.writerIndex(), StandardCharsets.ISO_8859_1)
                        .values())
                .containsExactly("é", "è");
        BoundParameters unreadable = BoundParameters.read(in, 0, in.writerIndex(), StandardCharsets.UTF_8);
        assertThat(unreadable.text(1)).isNull();
        assertThat(unreadable.isNull(1)).isFalse();
    }

    @Test
    void leavesAMessageThatDoesNotFitToTheNode() {
        ByteBuf formats = Unpooled.buffer().writeShort(60_000);
        assertThat(BoundParameters.read(formats, 0, formats.writerIndex(), StandardCharsets.UTF_8)
                        .values())
                .isEmpty();
        ByteBuf value = Unpooled.buffer().writeShort(0).writeShort(1).writeInt(Integer.MAX_VALUE);
        assertThat(BoundParameters.read(value, 0, value.writerIndex(), StandardCharsets.UTF_8)
                        .values())
                .isEmpty();
        ByteBuf nothing = Unpooled.buffer();
        assertThat(BoundParameters.read(nothing, 0, 0, StandardCharsets.UTF_8).values())
                .isEmpty();
    }

    @Test
    void survivesAnyBytes() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] noise = new byte[random.nextInt(40)];
            random.nextBytes(noise);
            ByteBuf in = Unpooled.wrappedBuffer(noise);
            assertThat(BoundParameters.read(in, 0, noise.length, StandardCharsets.UTF_8))
                    .as("seed %d", seed)
                    .isNotNull();
        }
    }
}
