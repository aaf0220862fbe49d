package dev.tenantry.blueprint;

/**
 * Something that keeps a schema from being created elsewhere.
 *
 * @param name as the server describes it, its kind first
 * @param reason why it can't be carried over, a clause
 */
public record UnknownObject(String name, String reason) {

    @Override
    public String toString() {
        return name + " (" + reason + ")";
    }
}
