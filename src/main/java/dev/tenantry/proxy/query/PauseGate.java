package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SettingValues;
import dev.tenantry.routing.HeldStatements;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets a session's statements wait while what they need is paused, unless their transaction has used it already; and
 * says whether it has. Of a schema a transaction is known to use what its statements name, or find by the search_path;
 * not what functions do there. Lives on the client's event loop.
 */
public final class PauseGate {
    private final Conversation session;
    private final SessionContext context;
    private final Dispatcher dispatcher;
    private final SentStatements sent;
    private final Portals portals = new Portals();
    private Pauses seen = Pauses.NONE;
    private final List<Pause.OfNode> before = new ArrayList<>();
    private final List<Pause.OfSchema> unused = new ArrayList<>();
    private long owedUntil;
    private @Nullable Runnable awaited;
    private String letInto = "";

    /** A gate of a session that has heard of nothing. */
    public PauseGate(Conversation session, SessionContext context, Dispatcher dispatcher) {
        this.session = session;
        this.context = context;
        this.dispatcher = dispatcher;
        this.sent = new SentStatements(session, context);
    }

    /** What the session has sent; it is to be told of every statement. */
    SentStatements sent() {
        return sent;
    }

    /** What the client has bound. */
    Portals portals() {
        return portals;
    }

    /** Whether the statement waits; then its message is looked at again when the pause is over. */
    boolean holds(Pauses pauses, StatementFacts facts, Route route, Node node) {
        look(pauses);
        List<Pause> found = HeldStatements.pauses(pauses, facts, route, node, context);
        if (facts.action() instanceof StatementAction.CreateSchema) {
            addPlacement(pauses, found);
        }
        found.removeIf(pause -> lets(pause, facts));
        return holds(found);
    }

    /** The same for a message that names nothing and goes to that node. */
    boolean holds(Pauses pauses, Node node) {
        Pause pause = pauses.ofNode(node.nodeId());
        return pause != null && holds(List.of(pause));
    }

    private boolean holds(List<Pause> pauses) {
        for (Pause pause : pauses) {
            boolean read = isReadingBatch(pause);
            if (read && !dispatcher.isQuiet()) {
                return true;
            }
            if (read || !isExempt(pause)) {
                dispatcher.flushBatch(); // the client may wait for what its batch has done so far
                dispatcher.await(pause);
                return true;
            }
        }
        dispatcher.goesOn();
        return false;
    }

    /** Where writers wait, a statement by itself that reads goes on, and a block that can do nothing else. */
    private boolean lets(Pause pause, StatementFacts facts) {
        boolean let = pause instanceof Pause.OfSchema(long _, String _, Pause.Held held)
                && held == Pause.Held.WRITERS
                && (session.transaction().isOpen() ? isReadOnly() : HeldStatements.reads(facts));
        if (let) {
            letInto = ((Pause.OfSchema) pause).name();
        }
        return let;
    }

    /**
     * Whether a batch was let in that has done nothing but read there, with all it has bound: what follows in it that
     * must wait would keep the move waiting in turn. So it is ended before that, where its client can't tell.
     */
    private boolean isReadingBatch(Pause pause) {
        return pause instanceof Pause.OfSchema schema
                && schema.name().equals(letInto)
                && !session.transaction().isOpen()
                && session.backends().isUnsynced()
                && isExempt(schema)
                && sent.onlyRead()
                && portals.areDone()
                && !isRepeatable();
    }

    /** Whether all that a batch reads is of one moment. */
    private boolean isRepeatable() {
        String level = context.setting("default_transaction_isolation");
        return level != null && (level.equals("repeatable read") || level.equals("serializable"));
    }

    private boolean isReadOnly() {
        String mode = context.setting("transaction_read_only");
        return mode != null && !mode.isEmpty() && !SettingValues.isOff(mode);
    }

    private boolean isExempt(Pause pause) {
        return switch (pause) {
            case Pause.OfNode(long _, int nodeId) -> isOn(nodeId);
            case Pause.OfSchema schema ->
                (session.transaction().isOpen() || session.backends().isUnsynced())
                        && (schema.held() == Pause.Held.WRITERS || !unused.contains(schema))
                        && sent.mayUse(schema.name(), isPreparing());
        };
    }

    /** The node that CREATE SCHEMA is told to use; of the others it takes one that is not paused. */
    private void addPlacement(Pauses pauses, List<Pause> found) {
        String name = context.setting("tenantry.node");
        if (name != null && !name.isEmpty()) {
            context.catalog()
                    .nodeNamed(name)
                    .map(named -> pauses.ofNode(named.nodeId()))
                    .ifPresent(found::add);
        }
    }

    /**
     * The session hears of these pauses, if it has not: none of its transactions begins there from now on.
     *
     * @return for each, whether a transaction has not ended that may have been there before
     */
    public List<Boolean> hear(Pauses pauses) {
        look(pauses);
        return pauses.all().stream().map(this::isRunning).toList();
    }

    /** Whether a transaction has not ended that may have been there before a pause that the session has heard of. */
    public boolean isRunning(Pause pause) {
        forgetEnded();
        return seen.contains(pause)
                && switch (pause) {
                    case Pause.OfNode node -> session.ledger().settled() < owedUntil || before.contains(node);
                    case Pause.OfSchema schema -> uses(schema);
                };
    }

    /** Calls back, once, on the loop, when something has happened that may have ended what {@link #isRunning}. */
    public void onProgress(Runnable action) {
        awaited = action;
    }

    /** Something has happened to the session. */
    public void progressed() {
        Runnable action = awaited;
        if (action != null) {
            awaited = null;
            action.run();
        }
    }

    /** Whoever has said once that nothing uses the schema any more is let in no more. */
    private boolean uses(Pause.OfSchema schema) {
        if (unused.contains(schema)) {
            return false;
        }
        boolean uses = isUnderWay() && sent.mayUse(schema.name(), isPreparing());
        if (!uses) {
            unused.add(schema);
        }
        return uses;
    }

    /** Whether the session has to do with nodes; a block that has failed there has let go of all it had. */
    private boolean isUnderWay() {
        boolean owed = !session.ledger().isEmpty() || session.backends().isUnsynced() || isWorking();
        return owed || session.transaction().isOpen() && session.transaction().status() != 'E';
    }

    /** Notes, once for each pause, whether what is open now was there before it. */
    private void look(Pauses pauses) {
        forgetEnded();
        if (pauses == seen) {
            return;
        }
        unused.removeIf(pause -> !pauses.contains(pause));
        for (Pause pause : pauses.all()) {
            if (!(pause instanceof Pause.OfNode node) || seen.contains(node)) {
                continue;
            }
            if (isOn(node.nodeId()) || isWorking()) {
                before.add(node);
            }
            BackendConnection active = session.backends().active();
            if (active != null && active.node().nodeId() == node.nodeId()) {
                owedUntil = session.ledger().noted();
            }
        }
        seen = pauses;
    }

    private void forgetEnded() {
        if (!before.isEmpty() && !isInTransaction()) {
            before.clear();
        }
    }

    private boolean isInTransaction() {
        return !session.transaction().participants().isEmpty()
                || session.backends().isUnsynced()
                || isWorking();
    }

    /** Whether something goes on between the session and nodes that is no transaction yet, but may become one. */
    private boolean isWorking() {
        return dispatcher.isBusy() && !dispatcher.isWaitingForPause();
    }

    /** Whether the statement told last is being prepared for on a connection that the session has. */
    private boolean isPreparing() {
        return isWorking() && !session.backends().isOpening();
    }

    /** Whether the open block or batch has used that node. */
    private boolean isOn(int nodeId) {
        BackendConnection active = session.backends().active();
        return session.backends().isUnsynced()
                        && active != null
                        && active.node().nodeId() == nodeId
                || session.transaction().isOpen()
                        && session.transaction().participants().stream()
                                .anyMatch(participant -> participant.node().nodeId() == nodeId);
    }
}
