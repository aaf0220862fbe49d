package dev.tenantry.support;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The first column of all rows that a statement returns; of one that returns none, nothing. */
public final class FirstColumn {
    private FirstColumn() {}

    /** Runs it on the connection and closes that. */
    static List<String> of(Connection opened, String sql) throws SQLException {
        try (Connection connection = opened;
                Statement statement = connection.createStatement()) {
            return of(statement, sql);
        }
    }

    /** Runs it. */
    public static List<String> of(Statement statement, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        if (statement.execute(sql)) {
            try (ResultSet rows = statement.getResultSet()) {
                while (rows.next()) {
                    values.add(rows.getString(1));
                }
            }
        }
        return values;
    }
}
