package org.pushbridge.sim.ladder;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Records who sent what to whom, and draws it at once as a ladder: a column a participant, time downwards in
 * milliseconds since the first entry, at most 100 columns wide. Thread-safe. What comes after {@link #close} is left out.
 */
public final class Ladder {
    private static final int WIDTH = 100;
    private static final int TIME_WIDTH = 8;
    private static final int SIDE_MARGIN = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A message, or something that happened at one participant ({@code from} and {@code to} the same). */
    private record Entry(Duration at, String from, String to, String label, String note) {
        String text() {
            return note.isEmpty() ? label : label + " (" + note + ")";
        }
    }

    private final List<String> participants;
    private final Consumer<String> lines;
    private final LongSupplier nanos;
    private long start;
    private final List<Entry> entries = new ArrayList<>();
    private boolean closed;

    /**
     * Begins with the names.
     *
     * @param participants from left to right, at least two; each an own name
     * @param lines takes each line of the drawing, without its end, as soon as it is there; called by the threads that
     *     record, one at a time
     */
    public Ladder(List<String> participants, Consumer<String> lines) {
        this(participants, lines, System::nanoTime);
    }

    Ladder(List<String> participants, Consumer<String> lines, LongSupplier nanos) {
        if (participants.size() < 2 || participants.stream().distinct().count() != participants.size()) {
            throw new IllegalArgumentException("A ladder needs two participants or more, each once: " + participants);
        }
        this.participants = List.copyOf(participants);
        this.lines = lines;
        this.nanos = nanos;
        lines.accept(heads());
    }

    /**
     * Records a message.
     *
     * @param label such as {@code INVITE} or {@code 182 Queued}
     * @param note shown in brackets; empty for none
     */
    public synchronized void message(String from, String to, String label, String note) {
        add(from, to, label, note);
    }

    /** Records what happened at one participant. */
    public synchronized void event(String at, String what) {
        add(at, at, what, "");
    }

    private void add(String from, String to, String label, String note) {
        for (String name : List.of(from, to)) {
            if (!participants.contains(name)) {
                throw new IllegalArgumentException("Nobody on this ladder is called " + name + ": " + participants);
            }
        }
        if (!closed) {
            long now = nanos.getAsLong();
            start = entries.isEmpty() ? now : start;
            Entry entry = new Entry(Duration.ofNanos(now - start), from, to, label, note);
            entries.add(entry);
            lines.accept(line(entry));
        }
    }

    /** Records nothing more. */
    public synchronized void close() {
        closed = true;
    }

    /** One JSON object a line, for machines: {@code ms}, {@code from}, {@code to}, {@code label}, {@code note}. */
    public synchronized String toJsonLines() {
        StringBuilder objects = new StringBuilder();
        for (Entry entry : entries) {
            ObjectNode node = JSON.createObjectNode();
            node.put("ms", entry.at.toMillis());
            node.put("from", entry.from);
            node.put("to", entry.to);
            node.put("label", entry.label);
            node.put("note", entry.note);
            objects.append(node).append('\n');
        }
        return objects.toString();
    }

    private int column(int index) {
        int first = TIME_WIDTH + SIDE_MARGIN;
        int last = WIDTH - 1 - SIDE_MARGIN;
        return first + index * (last - first) / (participants.size() - 1);
    }

    private String heads() {
        StringBuilder line = blank(" ");
        put(line, 0, "     ms");
        for (int i = 0; i < participants.size(); i++) {
            String name = participants.get(i);
            int at = Math.max(TIME_WIDTH, Math.min(column(i) - name.length() / 2, WIDTH - name.length()));
            put(line, at, name);
        }
        return line.toString().stripTrailing();
    }

    private String line(Entry entry) {
        StringBuilder line = blank(" ");
        put(line, 0, String.format("%7d", entry.at.toMillis()));
        for (int i = 0; i < participants.size(); i++) {
            put(line, column(i), "│");
        }
        int from = column(participants.indexOf(entry.from));
        int to = column(participants.indexOf(entry.to));
        if (from == to) {
            happened(line, from, entry.text());
        } else {
            arrow(line, from, to, entry.text());
        }
        return line.toString().stripTrailing();
    }

    private static void happened(StringBuilder line, int at, String text) {
        put(line, at, "●");
        boolean roomToTheRight = at + 2 + text.length() <= WIDTH;
        String cut = cut(text, roomToTheRight ? WIDTH - at - 2 : at - 2 - TIME_WIDTH);
        put(line, roomToTheRight ? at + 2 : at - 1 - cut.length(), cut);
    }

    private static void arrow(StringBuilder line, int from, int to, String text) {
        int left = Math.min(from, to) + 1;
        int right = Math.max(from, to) - 1;
        for (int i = left; i <= right; i++) {
            line.setCharAt(i, '─');
        }
        if (from < to) {
            line.setCharAt(right, '▶');
        } else {
            line.setCharAt(left, '◀');
        }
        String cut = " " + cut(text, right - left - 4) + " ";
        put(line, left + (right - left + 1 - cut.length()) / 2, cut);
    }

    private static String cut(String text, int room) {
        return text.length() <= room ? text : text.substring(0, Math.max(0, room - 1)) + "…";
    }

    private static StringBuilder blank(String with) {
        return new StringBuilder(with.repeat(WIDTH));
    }

    private static void put(StringBuilder line, int at, String text) {
        line.replace(at, at + text.length(), text);
    }
}
