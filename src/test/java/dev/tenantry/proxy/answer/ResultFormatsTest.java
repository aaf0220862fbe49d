package dev.tenantry.proxy.answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ResultFormatsTest {

    /** The end of a Bind message with one parameter of four bytes, and these result formats. */
    private static ByteBuf bind(int... formats) {
        ByteBuf in = Unpooled.buffer().writeShort(1).writeShort(1);
        in.writeShort(2).writeInt(4).writeInt(7).writeInt(-1);
        in.writeShort(formats.length);
        for (int format : formats) {
            in.writeShort(format);
        }
        return in;
    }

    private static ResultFormats read(ByteBuf in, int columns) {
        return ResultFormats.read(in, 0, in.writerIndex(), columns);
    }

    @Test
    void appliesOneFormatToAllColumns() {
        ResultFormats formats = read(bind(1), 3);
        assertThat(formats.isBinary(0)).isTrue();
        assertThat(formats.isBinary(2)).isTrue();
        assertThat(read(bind(0), 3).isBinary(0)).isFalse();
        assertThat(read(bind(), 3).isBinary(2)).isFalse();
    }

    @Test
    void appliesFormatsToTheirColumns() {
        ResultFormats formats = read(bind(0, 1, 0), 3);
        assertThat(formats.isBinary(0)).isFalse();
        assertThat(formats.isBinary(1)).isTrue();
        assertThat(formats.isBinary(2)).isFalse();
    }

    @Test
    void refusesFormatsThatDoNotFit() {
        assertThatThrownBy(() -> read(bind(0, 1), 3)).hasMessageContaining("2 result formats but query has 3 columns");
        assertThatThrownBy(() -> read(bind(2), 3)).hasMessageContaining("unsupported format code: 2");
        assertThatThrownBy(() -> read(bind(0).writeByte(0), 3)).isInstanceOf(SqlErrorException.class);
    }

    @Test
    void refusesAnyBytesThatAreNoFormats() {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] noise = new byte[random.nextInt(24)];
            for (int i = 0; i < noise.length; i++) {
                noise[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(2));
            }
            try {
                assertThat(read(Unpooled.wrappedBuffer(noise), 3))
                        .as("seed %d", seed)
                        .isNotNull();
            } catch (SqlErrorException refused) {
                assertThat(refused.error().sqlState()).as("seed %d", seed).isIn("08P01", "22023");
            }
        }
    }
}
