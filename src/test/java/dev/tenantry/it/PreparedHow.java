package dev.tenantry.it;

import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.List;

/** How a client prepares a statement and runs it later. */
enum PreparedHow {
    /** Parse and Describe of a named statement, as drivers with a cache do. */
    DESCRIBED {
        @Override
        void prepare(RawClient client, String sql) {
            client.parse("prepared", sql).describe('S', "prepared").sync().readUntilReady();
        }

        @Override
        String run(RawClient client) {
            return state(client.bind("", "prepared").execute("", 0).sync().readUntilReady());
        }
    },
    /** Parse of a named statement, and Describe of each portal, as libpq does. */
    NAMED {
        @Override
        void prepare(RawClient client, String sql) {
            client.parse("prepared", sql).sync().readUntilReady();
        }

        @Override
        String run(RawClient client) {
            return state(client.bind("", "prepared")
                    .describe('P', "")
                    .execute("", 0)
                    .sync()
                    .readUntilReady());
        }
    },
    /** The unnamed statement, parsed and bound in different batches. */
    UNNAMED {
        @Override
        void prepare(RawClient client, String sql) {
            client.parse("", sql).sync().readUntilReady();
        }

        @Override
        String run(RawClient client) {
            return state(client.bind("", "").execute("", 0).sync().readUntilReady());
        }
    },
    /** PREPARE and EXECUTE. */
    SQL {
        @Override
        boolean can(ChangedResult change) {
            return !change.statement().startsWith("EXPLAIN");
        }

        @Override
        void prepare(RawClient client, String sql) {
            client.run("PREPARE prepared AS " + sql);
        }

        @Override
        String run(RawClient client) {
            return state(client.run("EXECUTE prepared"));
        }
    };

    abstract void prepare(RawClient client, String sql);

    /** Gives the name another meaning; nobody but the session of the client keeps the one that it had. */
    void take(RawClient thief) {
        prepare(thief, "SELECT 'taken' FROM t");
    }

    /** The SQLSTATE, or nothing. */
    abstract String run(RawClient client);

    /** Whether the statement of a change can be prepared so. */
    boolean can(@SuppressWarnings("unused") ChangedResult change) {
        return true;
    }

    static String state(List<Message> answer) {
        return answer.stream()
                .filter(message -> message.type() == 'E')
                .map(Message::sqlState)
                .findFirst()
                .orElse("");
    }
}
