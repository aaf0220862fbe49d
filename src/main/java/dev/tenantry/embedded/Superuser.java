package dev.tenantry.embedded;

/**
 * The role and the database that every embedded server is made with.
 *
 * @param name the superuser's name
 * @param password its password in clear
 * @param database the database, owned by that role
 */
public record Superuser(String name, String password, String database) {

    /** What {@code ./tenantry up} makes: {@code tenantry} in all three places; the servers listen on loopback only. */
    public static final Superuser DEFAULT = new Superuser("tenantry", "tenantry", "tenantry");

    @Override
    public String toString() {
        return name + "@" + database;
    }
}
