package dev.tenantry.proxy.query;

import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.catalog.Pause;
import dev.tenantry.catalog.Pauses;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.routing.HeldStatements;
import dev.tenantry.routing.Route;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets a session's statements wait while what they need is paused, unless their transaction has used it already. For a
 * schema this is: it was on the schema's node when the session first heard of the pause; because a function can take a
 * transaction from one schema to another of the same node, which nobody here sees. Lives on the client's event loop.
 */
public final class PauseGate {
    private static final int NOWHERE = -1;

    private final Conversation session;
    private final SessionContext context;
    private final Dispatcher dispatcher;
    private Pauses seen = Pauses.NONE;
    private final List<Pause> before = new ArrayList<>();
    private long endedBefore;
    private long owedUntil;

    /** A gate of a session that has heard of nothing. */
    public PauseGate(Conversation session, SessionContext context, Dispatcher dispatcher) {
        this.session = session;
        this.context = context;
        this.dispatcher = dispatcher;
    }

    /** Whether the statement waits; then its message is looked at again when the pause is over. */
    boolean holds(Pauses pauses, StatementFacts facts, Route route, Node node) {
        look(pauses);
        List<Pause> found = HeldStatements.pauses(pauses, facts, route, node, context);
        if (facts.action() instanceof StatementAction.CreateSchema) {
            addPlacement(pauses, found);
        }
        return holds(found);
    }

    /** The same for a message that names nothing and goes to that node. */
    boolean holds(Pauses pauses, Node node) {
        Pause pause = pauses.ofNode(node.nodeId());
        return pause != null && holds(List.of(pause));
    }

    private boolean holds(List<Pause> pauses) {
        for (Pause pause : pauses) {
            if (!isExempt(pause)) {
                dispatcher.flushBatch(); // the client may wait for what its batch has done so far
                dispatcher.await(pause);
                return true;
            }
        }
        return false;
    }

    private boolean isExempt(Pause pause) {
        return switch (pause) {
            case Pause.OfNode(long _, int nodeId) -> isOn(nodeId);
            case Pause.OfSchema schema -> before.contains(schema);
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
        boolean owed = session.ledger().settled() < owedUntil;
        return pauses.all().stream()
                .map(pause -> owed || before.contains(pause))
                .toList();
    }

    /** Notes, once for each pause, whether what is open now was there before it. */
    private void look(Pauses pauses) {
        if (!isInTransaction()) {
            before.clear();
        } else if (session.transaction().ended() != endedBefore
                && session.transaction().isOpen()) {
            before.removeIf(pause -> pause instanceof Pause.OfSchema); // AND CHAIN: another one, on the same node
        }
        endedBefore = session.transaction().ended();
        if (pauses == seen) {
            return;
        }
        for (Pause pause : pauses.all()) {
            int nodeId = nodeId(pause);
            if (seen.contains(pause)) {
                continue;
            }
            if (isOn(nodeId) || isWorking()) {
                before.add(pause);
            }
            BackendConnection active = session.backends().active();
            if (active != null && active.node().nodeId() == nodeId) {
                owedUntil = session.ledger().noted();
            }
        }
        seen = pauses;
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

    private int nodeId(Pause pause) {
        return switch (pause) {
            case Pause.OfNode(long _, int nodeId) -> nodeId;
            case Pause.OfSchema(long _, String name) -> {
                DistributedSchema schema = context.catalog().schema(name);
                yield schema == null ? NOWHERE : schema.node().nodeId();
            }
        };
    }
}
