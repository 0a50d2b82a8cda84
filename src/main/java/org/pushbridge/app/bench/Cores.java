package org.pushbridge.app.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Which processors a process may use. A generator of load on the server's processor would be measured as the server: with
 * two processors or more and {@code taskset}, the server has one and SIPp the others.
 */
enum Cores {
    SERVER("0"),
    LOAD("1-" + (Math.max(2, Runtime.getRuntime().availableProcessors()) - 1));

    private final String list;

    Cores(String list) {
        this.list = list;
    }

    static boolean canPin() {
        return Runtime.getRuntime().availableProcessors() > 1
                && Programs.find("taskset").isPresent();
    }

    /** The command, held to these processors if that can be. */
    List<String> pinned(List<String> command) {
        if (!canPin()) {
            return command;
        }
        List<String> pinned = new ArrayList<>(List.of("taskset", "-c", list));
        pinned.addAll(command);
        return pinned;
    }
}
