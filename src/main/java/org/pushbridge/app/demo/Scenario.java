package org.pushbridge.app.demo;

import java.io.PrintWriter;

/** One story that {@code demo} plays. Played one at a time, each at most once. */
public interface Scenario {
    /** For {@code --only}: lower-case words with hyphens. */
    String name();

    /** What happens in it, in a line. */
    String title();

    /**
     * Plays it on real sockets and waits for its end.
     *
     * @param ladder takes the messages, with times, as they pass
     * @param json takes the same for machines, a JSON object a line
     * @throws Exception if it did not go as it must; the message says what was expected and what happened. An
     *     AssertionError says the same
     */
    void play(PrintWriter ladder, PrintWriter json) throws Exception;
}
