package dev.tenantry.proxy.session;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.routing.RoutingContext;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import java.nio.charset.Charset;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What routing and DDL ask of a session. Lives on the client's event loop; the getters may be read by the session's own
 * virtual thread while the client's messages wait for it.
 */
public final class SessionContext implements RoutingContext {
    private final String user;
    private final SessionSettings settings;
    private final TransactionScope transaction;
    private final SessionBackends backends;
    private final PreparedStatements statements;
    private final CatalogOverlay catalog;
    private @Nullable Node catalogNode;
    private BoundParameters parameters = BoundParameters.NONE;
    private boolean inString;
    private boolean lastInString;
    private @Nullable String completed;
    private boolean failed;

    public SessionContext(
            String user,
            SessionSettings settings,
            TransactionScope transaction,
            SessionBackends backends,
            PreparedStatements statements,
            CatalogOverlay catalog) {
        this.user = user;
        this.settings = settings;
        this.transaction = transaction;
        this.backends = backends;
        this.statements = statements;
        this.catalog = catalog;
    }

    // --- routing ------------------------------------------------------------------------------------------------

    @Override
    public CatalogView catalog() {
        return catalog;
    }

    /** The catalog without what the session's own transaction has changed. */
    public CatalogSnapshot committedCatalog() {
        return catalog.committed();
    }

    /** The same object as long as the catalog says the same to this session. */
    public Object catalogVersion() {
        return catalog.version();
    }

    @Override
    public List<String> searchPath() {
        return settings.searchPath();
    }

    @Override
    public String currentRole() {
        return currentRole(settings.current());
    }

    private String currentRole(SessionSettings.State at) {
        String role = settings.effective(at, "role");
        return role == null || role.equals("none") ? sessionRole(at) : role;
    }

    /** The names on the search_path of another moment, with the role's where {@code "$user"} stands. */
    public List<String> schemasOnPath(SessionSettings.State at) {
        return settings.searchPath(at).stream()
                .map(name -> name.equals("$user") ? currentRole(at) : name)
                .toList();
    }

    /** The role that signed in. */
    public String user() {
        return user;
    }

    /** The role of SET SESSION AUTHORIZATION, or the one that signed in. */
    public String sessionRole() {
        return sessionRole(settings.current());
    }

    private String sessionRole(SessionSettings.State at) {
        String authorization = settings.effective(at, "session_authorization");
        return authorization == null || authorization.equals("default") ? user : authorization;
    }

    @Override
    public @Nullable Node transactionNode() {
        BackendConnection main = transaction.main();
        if (main != null) {
            return main.node();
        }
        BackendConnection active = backends.active();
        return active != null && backends.isUnsynced() && backends.isExecuted() ? active.node() : null;
    }

    @Override
    public @Nullable Node catalogNode() {
        return catalogNode;
    }

    /** A catalog query went there because of a name in it. */
    public void catalogNode(Node node) {
        catalogNode = node;
    }

    @Override
    public @Nullable String parameter(int number) {
        return parameters.text(number);
    }

    @Override
    public int parameterCount() {
        return parameters.values().size();
    }

    /** Does something while these values are bound. */
    public <T> T withParameters(BoundParameters bound, Supplier<T> action) {
        parameters = bound;
        try {
            return action.get();
        } finally {
            parameters = BoundParameters.NONE;
        }
    }

    /** What EXECUTE runs, or the statement itself. */
    public StatementFacts executed(StatementFacts facts) {
        if (facts.action() instanceof StatementAction.Execute execute) {
            Prepared prepared = statements.get(settings.onWire(execute.name()));
            StatementFacts inner = prepared == null ? null : prepared.facts();
            if (inner != null) {
                return inner;
            }
        }
        return facts;
    }

    /** Where the session is: its transaction's node, the node it used last, or the coordinator. */
    public Node anyNode() {
        BackendConnection main = transaction.main();
        if (main != null) {
            return main.node();
        }
        for (BackendConnection participant : transaction.participants()) {
            return participant.node(); // DDL of schemas has begun the block there
        }
        BackendConnection active = backends.active();
        if (active != null && !active.isClosed()) {
            return active.node();
        }
        if (backends.isLastTaken()) {
            return lastNode(); // what has no name there, such as a large object, is on no other node
        }
        return backends.all().stream()
                .filter(backend -> !backend.isClosed())
                .findFirst()
                .map(BackendConnection::node)
                .orElseGet(this::lastNode);
    }

    /** The node that was used last, whose connection another session has now. */
    private Node lastNode() {
        Node last = backends.last();
        return catalog.nodes().stream()
                .filter(node -> last != null && node.nodeId() == last.nodeId()) // its size may have changed since
                .findFirst()
                .orElseGet(catalog::coordinator);
    }

    // --- DDL of schemas -----------------------------------------------------------------------------------------

    public boolean isSchemaBasedShardingEnabled() {
        return !SettingValues.isOff(settings.effective(SettingValues.SHARDING));
    }

    @Nullable
    public String setting(String name) {
        return settings.effective(name);
    }

    public Charset charset() {
        return settings.charset();
    }

    /** SQL as its bytes in the client's encoding, one character a byte, which is how it is sent to nodes. */
    public String onWire(String sql) {
        return settings.onWire(sql);
    }

    /** The worker that the transaction is on, so that what it creates can be used in it. */
    @Nullable
    public Node placementPreference() {
        BackendConnection main = transaction.main();
        return main == null || main.node().isCoordinator() ? null : main.node();
    }

    /** A schema was created there: the transaction goes on there. */
    public void ownerIsMain(BackendConnection owner) {
        if (transaction.main() == null) {
            transaction.main(owner);
        }
    }

    // --- the end of transactions --------------------------------------------------------------------------------

    /** The block has ended; another may have begun with it. */
    public void transactionEnded(boolean committed, boolean chain) {
        catalog.clear();
        if (chain) {
            settings.chain(committed);
            transaction.chain();
            transaction.leave();
        } else {
            settings.end(committed);
            transaction.end();
        }
    }

    public void transactionEnded(boolean committed) {
        transactionEnded(committed, false);
    }

    // --- strings that are run one by one ------------------------------------------------------------------------

    public boolean isInString() {
        return inString;
    }

    public void inString(boolean now) {
        inString = now;
        lastInString = false;
        completed = null;
        failed = false;
    }

    /** Whether the string's last statement is the one that runs. */
    public boolean isLastInString() {
        return lastInString;
    }

    /** The string's last statement begins. */
    public void lastInString() {
        lastInString = true;
        completed = null;
    }

    /** A node has completed a statement with this command tag. */
    public void completed(String tag) {
        completed = lastInString ? tag : null;
    }

    /** The command tag of the string's last statement, if a node has completed it. */
    @Nullable
    public String completedLast() {
        return completed;
    }

    /** A node has answered a whole message; if it is a part of a string that has failed, the string can't go on. */
    public void answered(boolean hasFailed) {
        failed |= hasFailed && inString;
    }

    /** The batch or string can't go on. */
    public void batchFailed() {
        failed = true;
    }

    /** The node is lost that ran a statement of a batch, a string or alone; the client has been told. */
    public void statementLost() {
        if (!transaction.isOpen()) {
            transactionEnded(false);
        }
        answered(true);
    }

    /** Whether the batch or string can't go on; asked once. */
    public boolean takeBatchFailed() {
        boolean was = failed;
        failed = false;
        return was;
    }
}
