package org.pushbridge.app;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.Optional;

/** Where passwords are typed or piped in. Never the command line, which other processes can read. */
interface PasswordSource {
    /** Asks on the terminal, without echo; empty if there is no terminal, or its user gives up. */
    Optional<char[]> ask(String prompt);

    /** Reads the next line of standard input; empty if there is none. */
    Optional<char[]> readLine() throws IOException;

    static PasswordSource ofThisProcess() {
        return new PasswordSource() {
            private Optional<BufferedReader> in = Optional.empty();

            // From Java 22 to 24 there is a console without a terminal too, unless -Djdk.console=java.base is
            // given, as the launcher does; without it, what was piped in is read, which does no harm.
            @SuppressWarnings("SystemConsoleNull")
            @Override
            public Optional<char[]> ask(String prompt) {
                Console console = System.console();
                return console == null ? Optional.empty() : Optional.ofNullable(console.readPassword("%s", prompt));
            }

            @Override
            public Optional<char[]> readLine() throws IOException {
                BufferedReader lines = in.orElseGet(
                        () -> new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())));
                in = Optional.of(lines);
                return Optional.ofNullable(lines.readLine()).map(String::toCharArray);
            }
        };
    }
}
