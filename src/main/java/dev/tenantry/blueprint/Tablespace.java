package dev.tenantry.blueprint;

import dev.tenantry.sql.SqlName;
import java.util.Optional;

/** Where indexes lie. */
final class Tablespace {

    private Tablespace() {}

    /** A statement that makes an index, which then lies in a tablespace if one is given. */
    static String during(Optional<String> tablespace, String sql) {
        return tablespace
                .map(name -> "SET default_tablespace = " + SqlName.literal(SqlName.quoted(name)) + ";\n" + sql
                        + ";\nSET default_tablespace = ''")
                .orElse(sql);
    }
}
