package dev.tenantry.control.api;

import dev.tenantry.store.move.MoveDesk;
import dev.tenantry.store.move.MoveReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/** Looks at one move until it has ended, or at all that run and those asked for later. */
final class MoveWatch implements EventStreams.Watch {

    private final MoveDesk desk;
    private final OptionalLong only;
    private final long later;
    private final Map<Long, MoveReport> told = new HashMap<>();
    private boolean over;

    private MoveWatch(MoveDesk desk, OptionalLong only, long later) {
        this.desk = desk;
        this.only = only;
        this.later = later;
    }

    static MoveWatch of(MoveDesk desk, long id) {
        return new MoveWatch(desk, OptionalLong.of(id), id);
    }

    static MoveWatch ofAll(MoveDesk desk) {
        long last = desk.moves(List.of(), false, 1, 0).items().stream()
                .mapToLong(MoveReport::moveid)
                .findFirst()
                .orElse(0);
        return new MoveWatch(desk, OptionalLong.empty(), last + 1);
    }

    @Override
    public List<MoveReport> changes() {
        List<MoveReport> changed = new ArrayList<>();
        for (MoveReport now : look()) {
            if (!now.equals(told.put(now.moveid(), now))) {
                changed.add(now);
            }
        }
        if (only.isPresent()) {
            over = told.values().stream().allMatch(MoveReport::hasEnded);
        }
        return changed;
    }

    private List<MoveReport> look() {
        if (only.isPresent()) {
            return desk.move(only.getAsLong()).stream().toList();
        }
        List<MoveReport> found = new ArrayList<>(desk.since(later));
        Set<Long> there = found.stream().map(MoveReport::moveid).collect(Collectors.toSet());
        told.values().stream()
                .filter(before -> !before.hasEnded() && !there.contains(before.moveid()))
                .forEach(before -> desk.move(before.moveid()).ifPresent(found::add));
        return found;
    }

    @Override
    public boolean isOver() {
        return over;
    }

    @Override
    public void close() {
        desk.close();
    }
}
