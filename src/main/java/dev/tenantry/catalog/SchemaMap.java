package dev.tenantry.catalog;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Distributed schemas by name: immutable, and cheap to derive from another, so that one more schema among 100,000 costs
 * microseconds. Short chains hang on a table of a power of two; a change copies the table of references and the chains
 * it touches, and shares all others.
 */
public final class SchemaMap extends AbstractMap<String, DistributedSchema> {

    /** No schema. */
    public static final SchemaMap EMPTY = new SchemaMap(new DistributedSchema[16][0], Map.of(), 0);

    private static final int CHAIN_LENGTH = 8;

    private final DistributedSchema[][] chains;
    private final Map<Integer, Integer> countByNode;
    private final int size;

    private SchemaMap(DistributedSchema[][] chains, Map<Integer, Integer> countByNode, int size) {
        this.chains = chains;
        this.countByNode = countByNode;
        this.size = size;
    }

    /** The same map without some names and then with some schemas, which replace those of the same name. */
    public SchemaMap with(Collection<String> removed, Collection<DistributedSchema> added) {
        DistributedSchema[][] table = tableFor(size + added.size());
        Map<Integer, Integer> counts = new HashMap<>(countByNode);
        for (String name : removed) {
            remove(table, counts, name);
        }
        for (DistributedSchema schema : added) {
            remove(table, counts, schema.name());
            append(table, schema);
            counts.merge(schema.node().nodeId(), 1, Integer::sum);
        }
        return new SchemaMap(
                table,
                counts,
                counts.values().stream().mapToInt(Integer::intValue).sum());
    }

    /** How many of them a node holds. */
    int countOn(int nodeId) {
        return countByNode.getOrDefault(nodeId, 0);
    }

    private DistributedSchema[][] tableFor(int schemas) {
        int length = chains.length;
        while (length * CHAIN_LENGTH < schemas) {
            length *= 2;
        }
        if (length == chains.length) {
            return chains.clone();
        }
        Map<Integer, List<DistributedSchema>> grouped = new HashMap<>();
        int mask = length - 1;
        for (DistributedSchema schema : values()) {
            grouped.computeIfAbsent(spread(schema.name()) & mask, slot -> new ArrayList<>())
                    .add(schema);
        }
        DistributedSchema[][] table = new DistributedSchema[length][0];
        grouped.forEach((slot, chain) -> table[slot] = chain.toArray(new DistributedSchema[0]));
        return table;
    }

    private static void remove(DistributedSchema[][] table, Map<Integer, Integer> counts, String name) {
        int slot = spread(name) & (table.length - 1);
        DistributedSchema[] chain = table[slot];
        for (int found = 0; found < chain.length; found++) {
            if (chain[found].name().equals(name)) {
                DistributedSchema[] shorter = new DistributedSchema[chain.length - 1];
                System.arraycopy(chain, 0, shorter, 0, found);
                System.arraycopy(chain, found + 1, shorter, found, shorter.length - found);
                table[slot] = shorter;
                counts.merge(chain[found].node().nodeId(), -1, Integer::sum);
                return;
            }
        }
    }

    private static void append(DistributedSchema[][] table, DistributedSchema schema) {
        int slot = spread(schema.name()) & (table.length - 1);
        DistributedSchema[] chain = table[slot];
        DistributedSchema[] longer = Arrays.copyOf(chain, chain.length + 1);
        longer[chain.length] = schema;
        table[slot] = longer;
    }

    private static int spread(String name) {
        int hash = name.hashCode();
        return hash ^ (hash >>> 16);
    }

    @Override
    public @Nullable DistributedSchema get(@Nullable Object key) {
        if (!(key instanceof String name)) {
            return null;
        }
        for (DistributedSchema schema : chains[spread(name) & (chains.length - 1)]) {
            if (schema.name().equals(name)) {
                return schema;
            }
        }
        return null;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public Set<Entry<String, DistributedSchema>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Entry<String, DistributedSchema>> iterator() {
                return new EntryIterator(chains);
            }

            @Override
            public int size() {
                return size;
            }
        };
    }

    private static final class EntryIterator implements Iterator<Entry<String, DistributedSchema>> {

        private final DistributedSchema[][] chains;
        private int slot;
        private int index;

        EntryIterator(DistributedSchema[][] chains) {
            this.chains = chains;
        }

        @Override
        public boolean hasNext() {
            while (slot < chains.length && index == chains[slot].length) {
                slot++;
                index = 0;
            }
            return slot < chains.length;
        }

        @Override
        public Entry<String, DistributedSchema> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            DistributedSchema schema = chains[slot][index++];
            return Map.entry(schema.name(), schema);
        }
    }
}
