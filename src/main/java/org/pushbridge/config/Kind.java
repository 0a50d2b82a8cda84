package org.pushbridge.config;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** What may stand behind a key: reads a value, or complains. */
interface Kind<T> {
    /** Gives nothing if it has complained, and only then. */
    Optional<T> read(ConfigValue value, Complaints complaints);

    /** Takes the rest of a sentence that begins with the key's name. */
    interface Complaints {
        void add(ConfigValue place, String restOfSentence);
    }

    static Kind<String> text() {
        return (value, complaints) -> scalar(value, complaints, "a text");
    }

    static Kind<Secret> secret() {
        return (value, complaints) -> scalar(value, complaints, "a text").map(Secret::new);
    }

    /** A text that {@code parser} understands; it throws IllegalArgumentException with the rest of a sentence. */
    static <T> Kind<T> parsed(Function<String, T> parser) {
        return (value, complaints) -> scalar(value, complaints, "a text").flatMap(text -> {
            try {
                return Optional.of(parser.apply(text));
            } catch (IllegalArgumentException e) {
                complaints.add(value, String.valueOf(e.getMessage()));
                return Optional.empty();
            }
        });
    }

    /** A text of this regular expression; {@code form} says it in words, with an example. */
    static Kind<String> matching(String regex, String form) {
        return parsed(text -> {
            if (!text.matches(regex)) {
                throw new IllegalArgumentException("is \"" + text + "\", which is not " + form);
            }
            return text;
        });
    }

    static Kind<Boolean> bool() {
        return (value, complaints) -> {
            Object plain = value.unwrapped();
            if (plain instanceof Boolean yes) {
                return Optional.of(yes);
            }
            // A substituted environment variable is always a string.
            if ("true".equals(plain) || "false".equals(plain)) {
                return Optional.of("true".equals(plain));
            }
            return wrong(value, complaints, "write true or false");
        };
    }

    static Kind<Integer> integer(int least, int most) {
        return (value, complaints) -> {
            String text = String.valueOf(value.unwrapped());
            boolean scalar = value.valueType() == ConfigValueType.NUMBER || value.valueType() == ConfigValueType.STRING;
            if (!scalar || !text.matches("-?[0-9]{1,18}")) {
                return wrong(value, complaints, "write a whole number from " + least + " to " + most);
            }
            long number = Long.parseLong(text);
            if (number < least || number > most) {
                complaints.add(value, "is " + number + ", but must be from " + least + " to " + most);
                return Optional.empty();
            }
            return Optional.of((int) number);
        };
    }

    static Kind<Duration> duration(Duration least, Duration most) {
        return (value, complaints) -> {
            String text = String.valueOf(value.unwrapped()).strip();
            if (text.matches("-?[0-9]+(\\.[0-9]+)?")) {
                complaints.add(
                        value,
                        "is " + text + ", without a unit; write for example " + text + "s, with ms, s, m, h or d");
                return Optional.empty();
            }
            Duration duration;
            try {
                duration = value.atKey("it").getDuration("it");
            } catch (ConfigException e) {
                return wrong(value, complaints, "write a number and ms, s, m, h or d, for example 45s");
            }
            if (duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
                complaints.add(value, "is " + text + ", but must be from " + inWords(least) + " to " + inWords(most));
                return Optional.empty();
            }
            return Optional.of(duration);
        };
    }

    /** A number of bytes; HOCON's k and M are powers of 1024. */
    static Kind<Integer> bytes(int least, int most) {
        return (value, complaints) -> {
            long size;
            try {
                size = value.atKey("it").getBytes("it");
            } catch (ConfigException e) {
                return wrong(value, complaints, "write a number of bytes, for example 8k");
            }
            if (size < least || size > most) {
                complaints.add(
                        value, "is " + value.unwrapped() + ", but must be from " + least + " to " + most + " bytes");
                return Optional.empty();
            }
            return Optional.of((int) size);
        };
    }

    /** One of an enum's constants, each written as {@code written} says. */
    static <E extends Enum<E>> Kind<E> choice(Class<E> type, Function<E, String> written) {
        Map<String, E> choices = new LinkedHashMap<>();
        for (E constant : type.getEnumConstants()) {
            choices.put(written.apply(constant), constant);
        }
        return (value, complaints) -> {
            Optional<E> chosen = Optional.ofNullable(choices.get(String.valueOf(value.unwrapped())));
            return chosen.isPresent()
                    ? chosen
                    : wrong(value, complaints, "choose one of " + String.join(", ", choices.keySet()));
        };
    }

    static <T> Kind<List<T>> list(Kind<T> element, boolean mayBeEmpty) {
        return (value, complaints) -> {
            if (!(value instanceof ConfigList values)) {
                return wrong(value, complaints, "write a list, in square brackets");
            }
            if (values.isEmpty() && !mayBeEmpty) {
                complaints.add(value, "is an empty list, but needs at least one entry");
                return Optional.empty();
            }
            List<T> read = new ArrayList<>();
            for (ConfigValue one : values) {
                element.read(one, complaints).ifPresent(read::add);
            }
            return read.size() == values.size() ? Optional.of(List.copyOf(read)) : Optional.empty();
        };
    }

    /** A file that is there and can be read; a relative path starts at {@code folder}. */
    static Kind<Path> readableFile(Path folder) {
        return parsed(text -> {
            Path file = folder.resolve(text);
            if (!Files.exists(file)) {
                throw new IllegalArgumentException("names " + file + ", but there is no such file");
            }
            if (!Files.isRegularFile(file)) {
                throw new IllegalArgumentException("names " + file + ", which is not a file");
            }
            if (!Files.isReadable(file)) {
                throw new IllegalArgumentException("names " + file
                        + ", which this process may not read; give its user the right to, or choose another file");
            }
            return file;
        });
    }

    private static Optional<String> scalar(ConfigValue value, Complaints complaints, String wanted) {
        return switch (value.valueType()) {
            // The original text: a number such as 0049 keeps its zeros.
            case STRING, NUMBER, BOOLEAN -> Optional.of(value.atKey("it").getString("it"));
            case LIST, OBJECT, NULL -> wrong(value, complaints, "write " + wanted);
        };
    }

    private static <T> Optional<T> wrong(ConfigValue value, Complaints complaints, String advice) {
        String what =
                switch (value.valueType()) {
                    case STRING -> "\"" + value.unwrapped() + "\"";
                    case NUMBER, BOOLEAN -> String.valueOf(value.unwrapped());
                    case LIST -> "a list";
                    case OBJECT -> "a section";
                    case NULL -> "null";
                };
        complaints.add(value, "is " + what + "; " + advice);
        return Optional.empty();
    }

    /** As one would write it in the file: {@code 45s}. */
    private static String inWords(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 86_400_000 == 0) {
            return millis / 86_400_000 + "d";
        } else if (millis % 3_600_000 == 0) {
            return millis / 3_600_000 + "h";
        } else if (millis % 60_000 == 0) {
            return millis / 60_000 + "m";
        } else if (millis % 1000 == 0) {
            return millis / 1000 + "s";
        }
        return millis + "ms";
    }
}
