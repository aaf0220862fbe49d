package dev.tenantry.it.parity;

import dev.tenantry.support.Message;
import java.util.List;

/**
 * What was answered.
 *
 * @param entries to what
 * @param messages up to ReadyForQuery
 */
public record Answer(List<Entry> entries, List<Message> messages) {}
