package dev.tenantry.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ResultShapeTest {
    private static final int INT4 = 23;
    private static final int INT8 = 20;
    private static final int VARCHAR = 1043;
    private static final int ENUM = 16400;
    private static final int OTHER_ENUM = 16500;

    /** One column as a RowDescription has it. */
    private record Column(String name, int table, int type, int modifier, int format) {}

    @Test
    void isTheSameForTheSameColumns() {
        assertThat(shape(column("id", INT4, -1), column("name", VARCHAR, 14)))
                .isEqualTo(shape(column("id", INT4, -1), column("name", VARCHAR, 14)));
    }

    @Test
    void tellsNamesTypesModifiersNumbersAndOrderApart() {
        assertThat(shape(column("id", INT4, -1), column("name", VARCHAR, 14)))
                .isNotEqualTo(shape(column("id", INT4, -1), column("title", VARCHAR, 14)))
                .isNotEqualTo(shape(column("id", INT8, -1), column("name", VARCHAR, 14)))
                .isNotEqualTo(shape(column("id", INT4, -1), column("name", VARCHAR, 24)))
                .isNotEqualTo(shape(column("name", VARCHAR, 14), column("id", INT4, -1)))
                .isNotEqualTo(shape(column("id", INT4, -1)))
                .isNotEqualTo(shape());
        assertThat(shape(column("ab", INT4, -1), column("c", INT4, -1)))
                .isNotEqualTo(shape(column("a", INT4, -1), column("bc", INT4, -1)));
        assertThat(shape()).as("no columns are a result").isNotEqualTo(ResultShape.NONE);
    }

    @Test
    void passesOverTableAndFormat() {
        assertThat(shape(new Column("id", 20_000, INT4, -1, 0)))
                .isEqualTo(shape(new Column("id", 30_000, INT4, -1, 1)));
    }

    @Test
    void takesTypesThatAreNotPostgresOwnForAlike() {
        ResultShape one = shape(column("kind", ENUM, -1));
        ResultShape other = shape(column("kind", OTHER_ENUM, -1));
        assertThat(one.exact()).isNotEqualTo(other.exact());
        assertThat(one.alike()).isEqualTo(other.alike());
        assertThat(one.alike()).isNotEqualTo(shape(column("kind", INT4, -1)).alike());
    }

    private static Column column(String name, int type, int modifier) {
        return new Column(name, 20_000, type, modifier, 0);
    }

    private static ResultShape shape(Column... columns) {
        ByteBuf message = Unpooled.buffer();
        message.writeByte(0); // what comes before in the stream
        message.writeByte(BackendType.ROW_DESCRIPTION).writeInt(0).writeShort(columns.length);
        for (Column column : columns) {
            message.writeCharSequence(column.name(), StandardCharsets.UTF_8);
            message.writeByte(0)
                    .writeInt(column.table())
                    .writeShort(1)
                    .writeInt(column.type())
                    .writeShort(4)
                    .writeInt(column.modifier())
                    .writeShort(column.format());
        }
        int frameLength = message.readableBytes() - 1;
        message.setInt(2, frameLength - 1);
        return ResultShape.of(message, 1, frameLength);
    }
}
