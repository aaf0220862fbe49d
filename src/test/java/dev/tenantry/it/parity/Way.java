package dev.tenantry.it.parity;

import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A way of saying a script. */
public enum Way {
    /** One Query a statement. */
    SIMPLE {
        @Override
        void say(RawClient client, Entry entry, int number) {
            client.query(entry.sql());
            if (entry.copiesIn()) {
                client.flushOut();
            }
        }
    },

    /** Parse, Describe of the statement, Bind, Describe of the portal, Execute, Sync, all unnamed. */
    EXTENDED {
        @Override
        void say(RawClient client, Entry entry, int number) {
            client.parse("", entry.sql()).describe('S', "");
            bind(client, entry, "", "", 0);
            client.describe('P', "").execute("", 0);
            end(client, entry);
        }
    },

    /** The same with a name for each statement and results in binary. */
    BINARY {
        @Override
        void say(RawClient client, Entry entry, int number) {
            String name = "statement " + number % NAMES;
            if (number % 7 != 0) {
                client.close('S', name);
            }
            client.parse(name, entry.sql());
            bind(client, entry, "", name, 1);
            client.describe('P', "").execute("", 0);
            if (!entry.copiesIn()) {
                client.close('S', name);
            }
            end(client, entry);
        }
    },

    /** Two rows at a time from a named portal, asked for until there are no more. */
    SUSPENDED {
        @Override
        void say(RawClient client, Entry entry, int number) {
            client.parse("", entry.sql());
            String portal = "portal " + number;
            bind(client, entry, portal, "", 0);
            client.describe('P', portal).execute(portal, ROWS_AT_A_TIME);
            if (!entry.copiesIn() && !entry.begins()) {
                client.execute(portal, ROWS_AT_A_TIME).flush();
                client.execute(portal, 0).close('P', portal);
            }
            end(client, entry);
        }
    },

    /** Several statements up to one Sync. */
    BATCHES {
        @Override
        void say(RawClient client, Entry entry, int number) {
            client.parse("", entry.sql());
            bind(client, entry, "", "", 0);
            client.describe('P', "").execute("", 0);
            if (entry.copiesIn() || entry.alone() || number % BATCH == BATCH - 1) {
                end(client, entry);
            }
        }

        @Override
        boolean endsBatch(Entry entry, int number) {
            return entry.copiesIn() || entry.alone() || number % BATCH == BATCH - 1;
        }
    },

    /** A Sync for each statement, but nobody waits for the answers before the next is said. */
    PIPELINE {
        @Override
        void say(RawClient client, Entry entry, int number) {
            client.parse("", entry.sql());
            bind(client, entry, "", "", 0);
            client.describe('P', "").execute("", 0);
            end(client, entry);
        }

        @Override
        boolean endsBatch(Entry entry, int number) {
            return entry.copiesIn() || entry.alone() || number % BATCH == BATCH - 1;
        }

        @Override
        boolean readyForEach() {
            return true;
        }
    };

    private static final int BATCH = 6;
    private static final int ROWS_AT_A_TIME = 2;

    /** Few, so that a name that an error has left in use is met again. */
    private static final int NAMES = 3;

    abstract void say(RawClient client, Entry entry, int number);

    /** Whether the answers are read behind this one. */
    boolean endsBatch(Entry entry, int number) {
        return true;
    }

    /** Whether each of a batch is answered by a ReadyForQuery of its own. */
    boolean readyForEach() {
        return false;
    }

    /** Says a script from its first word to its last; one list of what was answered for each time it was read. */
    public List<Answer> run(RawClient client, Script script) {
        List<Answer> answers = new ArrayList<>();
        List<Entry> said = new ArrayList<>();
        for (int i = 0; i < script.entries().size(); i++) {
            Entry entry = script.entries().get(i);
            boolean last = i == script.entries().size() - 1;
            if (entry.copiesIn() && !said.isEmpty()) {
                answers.add(read(client, said));
                said = new ArrayList<>();
            }
            say(client, entry, i);
            said.add(entry);
            if (endsBatch(entry, i) || last || script.entries().get(i + 1).copiesIn()) {
                if (!endsBatch(entry, i) && this == BATCHES) {
                    client.sync();
                }
                answers.add(read(client, said));
                said = new ArrayList<>();
            }
        }
        return answers;
    }

    private Answer read(RawClient client, List<Entry> said) {
        List<Message> messages = new ArrayList<>();
        int ready = readyForEach() ? said.size() : 1;
        boolean asked = false;
        while (ready > 0) {
            Message message = client.read();
            messages.add(message);
            switch (message.type()) {
                case 'Z' -> ready--;
                case 'G' -> {
                    copy(client, said.getLast());
                    asked = true;
                    if (this != SIMPLE) {
                        client.sync();
                    }
                }
                case 'E' -> {
                    if (this != SIMPLE && said.getLast().copiesIn() && !asked) {
                        client.sync();
                        asked = true;
                    }
                }
                case 'C' -> {
                    if (this != SIMPLE && said.getLast().copiesIn() && !asked) {
                        client.sync();
                        asked = true;
                    }
                }
                default -> {
                    // an answer like others
                }
            }
        }
        return new Answer(said, messages);
    }

    private static void copy(RawClient client, Entry entry) {
        for (byte[] piece : entry.copyData()) {
            client.message('d', new MessageWriter().bytes(piece));
        }
        if (entry.copyFailure() == null) {
            client.copyDone();
        } else {
            client.copyFail(entry.copyFailure());
        }
    }

    /** What asks for the answers; a statement that will ask for data is followed by Sync only behind the data. */
    private static void end(RawClient client, Entry entry) {
        if (entry.copiesIn()) {
            client.flush();
        } else {
            client.sync();
        }
    }

    private static void bind(RawClient client, Entry entry, String portal, String statement, int resultFormat) {
        MessageWriter body = new MessageWriter()
                .string(portal)
                .string(statement)
                .int16(0)
                .int16(entry.parameters().size());
        for (@Nullable String value : entry.parameters()) {
            if (value == null) {
                body.int32(-1);
            } else {
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                body.int32(bytes.length).bytes(bytes);
            }
        }
        client.message('B', body.int16(1).int16(resultFormat));
    }
}
