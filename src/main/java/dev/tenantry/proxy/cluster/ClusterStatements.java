package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.dispatch.Effects;
import dev.tenantry.proxy.net.FrameHandler.Verdict;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.SessionContext;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Statements that the session carries out itself, on several nodes or none: transaction control that no node has to
 * know of yet, DDL of schemas, DDL that is the same on every node. The work is done on a virtual thread while the
 * client's messages wait; everything else here is on the client's event loop.
 */
public final class ClusterStatements {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final Dispatcher.Owner owner;
    private final SessionContext context;
    private final CatalogOverlay catalog;
    private final ClusterServices services;

    public ClusterStatements(
            Conversation session,
            Dispatcher dispatcher,
            Dispatcher.Owner owner,
            SessionContext context,
            CatalogOverlay catalog,
            ClusterServices services) {
        this.session = session;
        this.dispatcher = dispatcher;
        this.owner = owner;
        this.context = context;
        this.catalog = catalog;
        this.services = services;
    }

    public Dispatcher.Owner owner() {
        return owner;
    }

    /** Whether a statement is DDL that the session carries out. */
    public boolean takes(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.CreateSchema create -> true;
            case StatementAction.DropSchema drop -> true;
            case StatementAction.RenameSchema rename -> true;
            case StatementAction.AlterSchemaOwner alter -> true;
            case StatementAction.OnSchemas on -> true;
            case StatementAction.EveryNode every -> true;
            default -> false;
        };
    }

    public boolean takesAny(List<StatementFacts> statements) {
        return statements.stream().anyMatch(this::takes);
    }

    /** Whether a prepared statement is answered here and reaches a node only when it is executed, if at all. */
    public boolean isLocal(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.Begin begin -> true;
            case StatementAction.Commit commit -> true;
            case StatementAction.Rollback rollback -> true;
            case StatementAction.Savepoint savepoint -> true;
            case StatementAction.Release release -> true;
            case StatementAction.RollbackTo rollbackTo -> true;
            default -> takes(facts);
        };
    }

    public boolean isLocal(Prepared prepared) {
        StatementFacts facts = prepared.facts();
        return facts != null && isLocal(facts);
    }

    /** Execute of a statement that is answered here. */
    public Verdict execute(Prepared prepared, StatementFacts facts) {
        TransactionScope transaction = session.transaction();
        switch (facts.action()) {
            case StatementAction.Begin begin -> {
                if (!transaction.isOpen() && !session.backends().isUnsynced() || transaction.isImplicit()) {
                    if (transaction.isImplicit()) {
                        transaction.makeExplicit();
                    } else {
                        transaction.begin(prepared.text());
                    }
                    session.replies().completed(begin.startTransaction() ? "START TRANSACTION" : "BEGIN", null);
                    return Verdict.SKIP;
                }
            }
            case StatementAction.Commit commit -> {
                if (endsHere(true)) {
                    return end(true, commit.chain(), false);
                }
            }
            case StatementAction.Rollback rollback -> {
                if (endsHere(false)) {
                    return end(false, rollback.chain(), false);
                }
            }
            case StatementAction.Savepoint _, StatementAction.Release _, StatementAction.RollbackTo _ -> {
                if (transaction.isDistributed()) {
                    return onAll(facts, prepared.text(), false);
                }
            }
            default -> {
                return run(facts, prepared.text(), false);
            }
        }
        return inject(prepared, facts);
    }

    /** Whether COMMIT or ROLLBACK is not simply the one node's business. */
    public boolean endsHere(boolean commit) {
        TransactionScope transaction = session.transaction();
        return transaction.isOpen()
                && (transaction.main() == null
                        || transaction.isDistributed()
                        || commit && transaction.isFailed()
                        || transaction.isImplicit());
    }

    /** Runs a prepared statement on the active node in the place of the client's Execute. */
    private Verdict inject(Prepared prepared, StatementFacts facts) {
        BackendConnection backend = dispatcher.ready(context.anyNode());
        if (backend == null) {
            return Verdict.WAIT;
        }
        owner.flushClientRun();
        switch (facts.action()) {
            case StatementAction.Savepoint _, StatementAction.Release _, StatementAction.RollbackTo _ -> {
                if (session.transaction().isOpen() && !session.transaction().isBound()) {
                    session.transaction().remember(prepared.text());
                }
            }
            default -> {
                // begins or ends the block, which has nothing to tell a later node
            }
        }
        PreparedOnBackend.ensure(prepared, backend, session.ledger());
        ByteBuf out = backend.channel().alloc().buffer(64);
        FrontendMessages.bind(out, prepared.name());
        FrontendMessages.execute(out);
        backend.write(out);
        session.ledger().expect(Expected.BIND, true, null);
        session.ledger()
                .expect(Expected.EXECUTE, false, new Effects.Confirmed(facts, BoundParameters.NONE, prepared.text()));
        session.backends().extended(true);
        return Verdict.SKIP;
    }

    /** Carries out DDL; its text is one character a byte. */
    public Verdict run(StatementFacts facts, String text, boolean simple) {
        if (dispatcher.isBusy()) {
            return Verdict.WAIT;
        }
        dispatcher.keepBatch();
        if (!dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        TransactionScope transaction = session.transaction();
        if (transaction.status() == 'E') {
            throw new SqlErrorException(SqlErrors.aborted());
        }
        if (!transaction.isOpen()) {
            transaction.beginImplicit();
        }
        transaction.bind();
        dispatcher.occupy();
        boolean endAfterwards = simple && transaction.isImplicit() && !context.isInString();
        services.worker().execute(() -> work(facts, text, simple, endAfterwards));
        return Verdict.SKIP;
    }

    private void work(StatementFacts facts, String text, boolean simple, boolean endAfterwards) {
        NodeCalls calls = calls();
        Outcome outcome = attempt(() -> {
            if (facts.action() instanceof StatementAction.EveryNode every) {
                return new EveryNodeDdl(calls, catalog).run(every, text, facts.start());
            }
            int header = facts.action() instanceof StatementAction.CreateSchema create
                    ? create.headerEnd() - facts.start()
                    : text.length();
            return new SchemaDdl(calls, catalog, context).run(facts.action(), text, header);
        });
        if (endAfterwards) {
            String tag = outcome.tag();
            Outcome ended = endNodes(calls, outcome.error() == null);
            outcome = outcome.error() != null ? outcome : ended.error() != null ? ended : new Outcome(tag, null);
        }
        tell(calls, outcome, simple, endAfterwards);
    }

    private void tell(NodeCalls calls, Outcome outcome, boolean simple, boolean ended) {
        calls.finish(() -> {
            ByteBuf out = session.replies().buffer();
            calls.notices().forEach(out::writeBytes);
            if (outcome.error() == null) {
                BackendMessages.commandComplete(out, outcome.tag());
            } else {
                out.writeBytes(outcome.error());
                session.transaction().fail();
            }
            if (ended) {
                context.transactionEnded(outcome.error() == null);
            }
            if (simple && !context.isInString()) {
                BackendMessages.readyForQuery(out, session.transaction().status());
            } else if (outcome.error() != null) {
                context.batchFailed();
            }
            session.replies().send(out);
            dispatcher.free();
        });
    }

    /** SAVEPOINT, RELEASE or ROLLBACK TO in a block that several nodes are in. */
    public Verdict onAll(StatementFacts facts, String text, boolean simple) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        dispatcher.occupy();
        List<BackendConnection> participants = List.copyOf(session.transaction().participants());
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = attempt(() -> {
                String tag = "";
                for (BackendConnection participant : participants) {
                    tag = SchemaDdl.tag(calls.call(participant, text));
                }
                return tag;
            });
            if (outcome.error() == null) {
                calls.finish(
                        () -> owner.settle(new Effects.Confirmed(facts, BoundParameters.NONE, text), outcome.tag()));
            }
            tell(calls, outcome, simple, false);
        });
        return Verdict.SKIP;
    }

    /** COMMIT or ROLLBACK of a block that is not simply the one node's business. */
    public Verdict end(boolean commit, boolean chain, boolean simple) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return Verdict.WAIT;
        }
        boolean commits = commit && session.transaction().status() != 'E';
        if (session.transaction().participants().isEmpty()) {
            context.transactionEnded(commits, chain);
            Byte status =
                    simple && !context.isInString() ? session.transaction().status() : null;
            session.replies().completed(commits ? "COMMIT" : "ROLLBACK", status);
            return Verdict.SKIP;
        }
        dispatcher.occupy();
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = endNodes(calls, commits);
            calls.finish(() -> {
                boolean committed = outcome.error() == null && outcome.tag().equals("COMMIT");
                context.transactionEnded(committed, chain && outcome.error() == null);
                ByteBuf out = session.replies().buffer();
                calls.notices().forEach(out::writeBytes);
                if (outcome.error() == null) {
                    BackendMessages.commandComplete(out, outcome.tag());
                } else {
                    out.writeBytes(outcome.error());
                }
                if (simple && !context.isInString()) {
                    BackendMessages.readyForQuery(out, session.transaction().status());
                } else if (outcome.error() != null) {
                    context.batchFailed();
                }
                session.replies().send(out);
                dispatcher.free();
            });
        });
        return Verdict.SKIP;
    }

    /** Ends the implicit block of a batch or string, then says ReadyForQuery; false when it must be asked again. */
    public boolean endImplicit(boolean commit) {
        if (dispatcher.isBusy() || !dispatcher.isQuiet()) {
            return false;
        }
        boolean commits = commit && session.transaction().status() != 'E';
        dispatcher.occupy();
        services.worker().execute(() -> {
            NodeCalls calls = calls();
            Outcome outcome = endNodes(calls, commits);
            calls.finish(() -> {
                context.transactionEnded(
                        outcome.error() == null && outcome.tag().equals("COMMIT"));
                ByteBuf out = session.replies().buffer();
                if (outcome.error() != null) {
                    out.writeBytes(outcome.error());
                }
                BackendMessages.readyForQuery(out, session.transaction().status());
                session.replies().send(out);
                dispatcher.free();
            });
        });
        return true;
    }

    private Outcome endNodes(NodeCalls calls, boolean commit) {
        calls.ending();
        List<BackendConnection> participants = List.copyOf(session.transaction().participants());
        DistributedEnd end = new DistributedEnd(calls, services);
        if (participants.isEmpty()) {
            return new Outcome(commit ? "COMMIT" : "ROLLBACK", null);
        }
        if (!commit) {
            end.rollback(participants);
            return new Outcome("ROLLBACK", null);
        }
        Outcome outcome = attempt(() -> end.commit(participants, catalog.coordinator()));
        services.feed().refresh();
        return outcome;
    }

    private NodeCalls calls() {
        return new NodeCalls(session.backends().loop(), dispatcher.preparation(), dispatcher::isCancelled);
    }

    @SuppressWarnings("ArrayRecordComponent") // written once and forgotten
    private record Outcome(String tag, byte @Nullable [] error) {}

    private interface Work {
        String run();
    }

    private static Outcome attempt(Work work) {
        try {
            return new Outcome(work.run(), null);
        } catch (NodeError said) {
            return new Outcome("", said.message());
        } catch (SqlErrorException refused) {
            return new Outcome("", encoded(refused.error()));
        } catch (RuntimeException ours) {
            System.getLogger(ClusterStatements.class.getName())
                    .log(System.Logger.Level.ERROR, "cluster statement failed", ours);
            return new Outcome(
                    "",
                    encoded(SqlError.error(
                            "XX000", "internal error: " + ours.getClass().getSimpleName())));
        }
    }

    private static byte[] encoded(SqlError error) {
        ByteBuf out = io.netty.buffer.Unpooled.buffer(256);
        BackendMessages.error(out, error);
        return io.netty.buffer.ByteBufUtil.getBytes(out);
    }
}
