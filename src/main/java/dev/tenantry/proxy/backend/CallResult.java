package dev.tenantry.proxy.backend;

import dev.tenantry.wire.ResultShape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a backend answered to a call of the proxy's own.
 *
 * @param rows the rows of all results, columns as text
 * @param tags the command tags, one a statement
 * @param notices whole NoticeResponse messages, in order
 * @param error the whole ErrorResponse message, or null
 * @param sqlState the error's SQLSTATE, or null
 * @param shape of the last result that was described
 * @param transactionStatus {@code I}, {@code T} or {@code E}, from ReadyForQuery
 */
public record CallResult(
        List<List<@Nullable String>> rows,
        List<String> tags,
        List<byte[]> notices,
        byte @Nullable [] error,
        @Nullable String sqlState,
        ResultShape shape,
        byte transactionStatus) {

    /** Whether no statement failed. */
    public boolean isSuccess() {
        return error == null;
    }
}
