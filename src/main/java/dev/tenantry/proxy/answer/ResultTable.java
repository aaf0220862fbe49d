package dev.tenantry.proxy.answer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.Charset;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rows and how they are written as messages ("Message Formats" of the PostgreSQL manual). Immutable.
 *
 * @param columns what each row has
 * @param rows what the rows are made of
 */
public record ResultTable<T>(List<Column<T>> columns, List<T> rows) {
    private static final byte ROW_DESCRIPTION = 'T';
    private static final byte DATA_ROW = 'D';
    private static final int NULL = -1;

    /** The same columns without rows, to be described. */
    public static <T> ResultTable<T> describedBy(List<Column<T>> columns) {
        return new ResultTable<>(columns, List.of());
    }

    /** Writes RowDescription. */
    public void describe(ByteBuf out, ResultFormats formats, Charset charset) {
        int start = begin(out, ROW_DESCRIPTION);
        out.writeShort(columns.size());
        for (int i = 0; i < columns.size(); i++) {
            Column<T> column = columns.get(i);
            out.writeCharSequence(column.name(), charset);
            out.writeByte(0)
                    .writeInt(0) // of no table
                    .writeShort(0)
                    .writeInt(column.type().oid())
                    .writeShort(column.type().length())
                    .writeInt(-1) // no type modifier
                    .writeShort(formats.isBinary(i) ? 1 : 0);
        }
        finish(out, start);
    }

    /** Makes messages of the rows. Of thousands it takes milliseconds, which are not an event loop's. */
    public EncodedRows encoded(ResultFormats formats, Charset charset) {
        ByteBuf out = Unpooled.buffer();
        int[] starts = new int[rows.size() + 1];
        for (int row = 0; row < rows.size(); row++) {
            int start = begin(out, DATA_ROW);
            out.writeShort(columns.size());
            for (int i = 0; i < columns.size(); i++) {
                write(out, columns.get(i).value().apply(rows.get(row)), formats.isBinary(i), charset);
            }
            finish(out, start);
            starts[row + 1] = out.writerIndex();
        }
        return new EncodedRows(ByteBufUtil.getBytes(out), starts);
    }

    private static void write(ByteBuf out, @Nullable Object value, boolean binary, Charset charset) {
        switch (value) {
            case null -> out.writeInt(NULL);
            case Long number when binary -> out.writeInt(Long.BYTES).writeLong(number);
            case Boolean truth when binary -> out.writeInt(1).writeByte(truth ? 1 : 0);
            case Boolean truth -> out.writeInt(1).writeByte(truth ? 't' : 'f');
            default -> {
                int start = out.writerIndex();
                out.writeInt(0);
                out.setInt(start, out.writeCharSequence(value.toString(), charset));
            }
        }
    }

    private static int begin(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(0);
        return out.writerIndex() - Integer.BYTES;
    }

    private static void finish(ByteBuf out, int lengthIndex) {
        out.setInt(lengthIndex, out.writerIndex() - lengthIndex);
    }
}
