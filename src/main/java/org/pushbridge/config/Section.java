package org.pushbridge.config;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One object of the file, beside the built-in one that fills its gaps. Every key that is asked for is thereby known;
 * {@link #complainOfUnknownKeys} finds the others.
 */
final class Section {
    private static final ConfigObject NOTHING = ConfigFactory.empty().root();

    private final String path;
    private final ConfigObject given;
    private final ConfigObject presets;
    private final Problems problems;
    private final Map<String, Section> sections = new TreeMap<>();
    private final TreeSet<String> known = new TreeSet<>();

    Section(String path, ConfigObject given, ConfigObject presets, Problems problems) {
        this.path = path;
        this.given = given;
        this.presets = presets;
        this.problems = problems;
    }

    /** A key that has a default; also given back when what the file says is wrong. */
    <T> T get(String key, Kind<T> kind) {
        return optional(key, kind).orElseGet(() -> {
            ConfigValue preset = presets.get(key);
            if (preset == null) {
                throw new IllegalStateException("There is no default for " + pathOf(key));
            }
            return kind.read(preset, (place, sentence) -> {
                        throw new IllegalStateException("The default of " + pathOf(key) + " " + sentence);
                    })
                    .orElseThrow();
        });
    }

    /** A key that may be left out; empty also when what the file says is wrong. */
    <T> Optional<T> optional(String key, Kind<T> kind) {
        known.add(key);
        ConfigValue value = given.get(key);
        return value == null ? Optional.empty() : kind.read(value, (place, sentence) -> complain(place, key, sentence));
    }

    /** A key that must be there; empty when it is not, or what the file says is wrong. */
    <T> Optional<T> required(String key, Kind<T> kind, String example) {
        if (!given.containsKey(key)) {
            known.add(key);
            problems.add(given.origin(), pathOf(key) + " is missing; write for example " + key + " = " + example);
            return Optional.empty();
        }
        return optional(key, kind);
    }

    /** A section inside this one; empty if the file has something else in its place, or nothing. */
    Section section(String key) {
        return section(key, presets.get(key) instanceof ConfigObject inside ? inside : NOTHING);
    }

    private Section section(String key, ConfigObject insidePresets) {
        known.add(key);
        ConfigValue value = given.get(key);
        if (value != null && !(value instanceof ConfigObject)) {
            complain(value, key, "is not a section; write " + key + " { ... }");
        }
        Section section = new Section(
                pathOf(key), value instanceof ConfigObject inside ? inside : NOTHING, insidePresets, problems);
        sections.put(key, section);
        return section;
    }

    /** For a section whose keys the operator names: each of them, in order, with the same defaults. */
    Map<String, Section> entries(ConfigObject presetsOfEach) {
        Map<String, Section> entries = new TreeMap<>();
        for (String name : new TreeSet<>(given.keySet())) {
            entries.put(name, section(name, presetsOfEach));
        }
        return entries;
    }

    /** Forgets a section, so that its keys are not complained of. */
    void dismiss(String key) {
        sections.remove(key);
    }

    boolean has(String key) {
        return given.containsKey(key);
    }

    boolean isEmpty() {
        return given.isEmpty();
    }

    boolean holdsOnlySections() {
        return !given.isEmpty() && given.values().stream().allMatch(ConfigObject.class::isInstance);
    }

    /** Says of the section itself that {@code restOfSentence}. */
    void complain(String restOfSentence) {
        problems.add(given.origin(), path + " " + restOfSentence);
    }

    /** Says of a key that {@code restOfSentence}. */
    void complain(String key, String restOfSentence) {
        ConfigValue value = given.get(key);
        complain(value == null ? given : value, key, restOfSentence);
    }

    private void complain(ConfigValue place, String key, String restOfSentence) {
        problems.add(place.origin(), pathOf(key) + " " + restOfSentence);
    }

    /** To be called last, on the outermost section: complains of keys that nobody asked for, here and inside. */
    void complainOfUnknownKeys() {
        complainOfUnknownKeys(this);
    }

    private void complainOfUnknownKeys(Section outermost) {
        for (String key : new TreeSet<>(given.keySet())) {
            if (!known.contains(key)) {
                ConfigValue value = given.get(key);
                problems.add(
                        (value == null ? given : value).origin(),
                        pathOf(key) + " is not a setting" + outermost.suggestion(this, key));
            }
        }
        sections.values().forEach(section -> section.complainOfUnknownKeys(outermost));
    }

    private String suggestion(Section where, String key) {
        Optional<String> alike = Alike.nearest(key, where.known);
        if (alike.isPresent()) {
            return "; did you mean " + alike.get() + "?";
        }
        // Often the right key in the wrong section.
        return knownPath(key)
                .map(right -> "; did you mean " + right + "?")
                .orElseGet(() -> where.known.isEmpty()
                        ? "; remove it"
                        : "; " + (where.path.isEmpty() ? "there are " : where.path + " has ")
                                + String.join(", ", where.known));
    }

    private Optional<String> knownPath(String key) {
        return known.contains(key)
                ? Optional.of(pathOf(key))
                : sections.values().stream()
                        .flatMap(section -> section.knownPath(key).stream())
                        .findFirst();
    }

    /** Every key that was asked for, here and inside, as a path. */
    Set<String> knownPaths() {
        TreeSet<String> paths = new TreeSet<>();
        known.forEach(key -> paths.add(pathOf(key)));
        sections.values().forEach(section -> paths.addAll(section.knownPaths()));
        return paths;
    }

    private String pathOf(String key) {
        String shown = key.matches("[A-Za-z0-9_-]+") ? key : ConfigUtil.quoteString(key);
        return path.isEmpty() ? shown : path + "." + shown;
    }
}
