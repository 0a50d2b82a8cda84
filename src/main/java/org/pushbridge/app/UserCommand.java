package org.pushbridge.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pushbridge user ...}: who may register and call. */
@Command(
        name = "user",
        header = "Adds, lists and removes the users who may register.",
        description = {
            "",
            "Works while the server runs (through its admin socket, at once and without a restart) and while it does not"
                    + " (in its database). Give it the same -c as the server.",
            ""
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class UserCommand implements Runnable {
    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: user add, user list or user remove.");
    }

    /** {@code user add}. */
    @Command(
            name = "add",
            header = "Adds users, who can then register with a phone.",
            description = {
                "",
                "Asks for each password on the terminal, or reads it from standard input. It is kept as a hash alone.",
                ""
            },
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class,
            footer = {
                "",
                "For example:",
                "  pushbridge user add alice@example.com",
                "  pushbridge user add alice --replace              a new password; the first domain is meant",
                "  pushbridge user add alice --password-stdin < file"
            })
    static final class Add implements Callable<Integer> {
        private final PasswordSource passwords;
        private final BiFunction<Aor, char[], User> withPassword;
        private final Function<Config, Users> open;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Mixin
        ConfigOption config = new ConfigOption();

        @Parameters(
                paramLabel = "ADDRESS",
                arity = "1..*",
                description = "alice@example.com, or alice for the first domain.")
        List<String> addresses = List.of();

        @Option(
                names = "--password-stdin",
                description = "The passwords are the first lines of standard input, one for each address.")
        boolean fromStandardInput;

        @Option(names = "--replace", description = "If there is such a user, set the new password.")
        boolean replace;

        Add(PasswordSource passwords, BiFunction<Aor, char[], User> withPassword, Function<Config, Users> open) {
            this.passwords = passwords;
            this.withPassword = withPassword;
            this.open = open;
        }

        @Override
        public Integer call() throws IOException {
            Config settings = config.load();
            List<Aor> aors =
                    addresses.stream().map(each -> aor(each, settings, spec)).toList();
            List<User> added = new ArrayList<>();
            for (Aor aor : aors) {
                char[] password = password(aor);
                added.add(withPassword.apply(aor, password));
                Arrays.fill(password, ' ');
            }
            try (Users users = opened(open, settings)) {
                for (User user : added) {
                    if (!users.add(user, replace)) {
                        throw new CommandFailed(
                                "There is a user " + user.aor() + " already; --replace gives them the new password.");
                    }
                    spec.commandLine().getOut().println("Saved " + user.aor());
                }
            }
            return Main.OK;
        }

        private char[] password(Aor aor) throws IOException {
            char[] password = fromStandardInput
                    ? passwords
                            .readLine()
                            .orElseThrow(() -> new ParameterException(
                                    spec.commandLine(), "There is no password for " + aor + " on standard input."))
                    : typed(aor);
            if (password.length == 0) {
                throw new ParameterException(spec.commandLine(), "The password is empty; choose another.");
            }
            return password;
        }

        private char[] typed(Aor aor) {
            char[] once = ask("Password for " + aor + ": ");
            char[] again = ask("The same again: ");
            if (!Arrays.equals(once, again)) {
                throw new ParameterException(spec.commandLine(), "The two passwords are not the same.");
            }
            return once;
        }

        private char[] ask(String prompt) {
            return passwords
                    .ask(prompt)
                    .orElseThrow(() -> new ParameterException(
                            spec.commandLine(),
                            "There is no terminal to ask for the password on; pipe it in with --password-stdin."));
        }
    }

    /** {@code user list}. */
    @Command(
            name = "list",
            header = "Lists the users and how many devices each has.",
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class,
            footer = {
                "",
                "Registered devices can be called at once; wakeable ones have a push token that Apple has not called dead."
            })
    static final class ListUsers implements Callable<Integer> {
        private final Function<Config, Users> open;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Mixin
        ConfigOption config = new ConfigOption();

        @Option(names = "--json", description = "Print a JSON array.")
        boolean json;

        ListUsers(Function<Config, Users> open) {
            this.open = open;
        }

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            List<Users.Listed> listed;
            try (Users users = opened(open, config.load())) {
                listed = users.list();
            }
            if (json) {
                out.println(AdminMessages.written(listed).toPrettyString());
            } else if (listed.isEmpty()) {
                out.println("There are no users; 'pushbridge user add' adds one.");
            } else {
                int width = listed.stream()
                        .mapToInt(user -> user.aor().toString().length())
                        .max()
                        .orElse(0);
                String row = "%-" + Math.max(width, 4) + "s  %7s  %10s  %8s%n";
                out.printf(row, "USER", "DEVICES", "REGISTERED", "WAKEABLE");
                listed.forEach(user -> out.printf(row, user.aor(), user.devices(), user.registered(), user.wakeable()));
            }
            return Main.OK;
        }
    }

    /** {@code user remove}. */
    @Command(
            name = "remove",
            header = "Removes a user with all devices.",
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class)
    static final class Remove implements Callable<Integer> {
        private final Function<Config, Users> open;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Mixin
        ConfigOption config = new ConfigOption();

        @Parameters(paramLabel = "ADDRESS", description = "alice@example.com, or alice for the first domain.")
        String address = "";

        Remove(Function<Config, Users> open) {
            this.open = open;
        }

        @Override
        public Integer call() {
            Config settings = config.load();
            Aor aor = read(address, settings, spec);
            try (Users users = opened(open, settings)) {
                if (!users.remove(aor)) {
                    throw noSuchUser(aor);
                }
            }
            spec.commandLine().getOut().println("Removed " + aor);
            return Main.OK;
        }
    }

    static Users opened(Function<Config, Users> open, Config settings) {
        // Opening the database is nothing to tell of here.
        Configurator.setLevel("org.pushbridge", Level.WARN);
        return open.apply(settings);
    }

    private static Aor aor(String address, Config settings, CommandSpec spec) {
        Aor aor = read(address, settings, spec);
        if (!settings.domains().contains(aor.host())) {
            throw new ParameterException(
                    spec.commandLine(),
                    aor.host() + " is not a domain of this bridge, which has "
                            + String.join(", ", settings.domains())
                            + "; choose one of them, or add it to domains in the configuration.");
        }
        return aor;
    }

    static CommandFailed noSuchUser(Aor aor) {
        return new CommandFailed("There is no user " + aor + "; 'pushbridge user list' names them.");
    }

    static Aor read(String address, Config settings, CommandSpec spec) {
        String whole =
                address.indexOf('@') < 0 ? address + "@" + settings.domains().get(0) : address;
        try {
            return Aor.parse(whole);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
