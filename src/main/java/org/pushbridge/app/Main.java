package org.pushbridge.app;

import java.io.PrintWriter;
import java.time.InstantSource;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.pushbridge.app.demo.DemoBridge;
import org.pushbridge.app.demo.Scenario;
import org.pushbridge.config.Config;
import org.pushbridge.config.ConfigException;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program's entry point, and what holds for every command: help, version, and how failures are told. */
@Command(
        name = "pushbridge",
        header = "Rings iPhones that are asleep: a SIP server between your PBX and them.",
        description = {
            "",
            "Pushbridge takes a call for a phone whose app is not running, wakes the app with a push from Apple,"
                    + " holds the call until the phone has registered, and then connects the two.",
            ""
        },
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nFor example:%n",
        footer = {
            "  pushbridge demo                          see it work, with simulated phones and pushes",
            "  pushbridge serve                         start it here with the defaults, to try a SIP phone on it",
            "  pushbridge user add alice@example.com    give alice a password to register with",
            "  pushbridge device list                   which phones there are, and whether a call would reach them",
            "  pushbridge serve -c my.conf              start it for real; sip-config/pushbridge.conf shows what can be set",
            "  pushbridge test                          run all tests (in the source folder)",
            "",
            "pushbridge COMMAND --help tells more about each."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it went well",
            "1:it failed; what was printed says why",
            "2:the command line or the configuration is wrong, or the server cannot start with it"
        })
public final class Main implements Runnable {
    /** What was asked for was done. */
    static final int OK = 0;

    static final int FAILED = 1;
    static final int WRONG_USAGE = 2;

    @Spec
    CommandSpec spec = CommandSpec.create();

    private Main() {}

    public static void main(String[] args) {
        CommandLine line = commandLine(
                Server::start,
                Server::users,
                Server::withPassword,
                PasswordSource.ofThisProcess(),
                Demo.scenarios(),
                Demo.bridge());
        System.exit(line.execute(args));
    }

    /**
     * The commands, ready to be executed.
     *
     * @param server starts the server, which closing stops; throws {@link CannotStart}
     * @param users opens the users, in the running server or in the database
     * @param withPassword makes a user of an address and a password
     * @param bridge what is measured
     */
    static CommandLine commandLine(
            Function<Config, Server> server,
            Function<Config, Users> users,
            BiFunction<Aor, char[], User> withPassword,
            PasswordSource passwords,
            List<Scenario> scenarios,
            DemoBridge bridge) {
        CommandLine line = new CommandLine(new Main())
                .addSubcommand(new ServeCommand(server))
                .addSubcommand(new DemoCommand(scenarios))
                .addSubcommand(new CommandLine(new BenchCommand())
                        .addSubcommand(new BenchCommand.LateWake(bridge))
                        .addSubcommand(new JournalBenchCommand())
                        .addSubcommand(new PushBenchCommand())
                        .addSubcommand(new OverloadCommand(bridge))
                        .addSubcommand(new SoakCommand(bridge)))
                .addSubcommand(
                        new CommandLine(new SimulateCommand()).addSubcommand(new SimulateCommand.Apns(System.in)))
                .addSubcommand(new CommandLine(new UserCommand())
                        .addSubcommand(new UserCommand.Add(passwords, withPassword, users))
                        .addSubcommand(new UserCommand.ListUsers(users))
                        .addSubcommand(new UserCommand.Remove(users)))
                .addSubcommand(new CommandLine(new DeviceCommand())
                        .addSubcommand(new DeviceCommand.ListDevices(users, InstantSource.system()))
                        .addSubcommand(new DeviceCommand.Show(users, InstantSource.system())));
        // On the outermost command these settings reach the commands inside.
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpLongOptionsMaxWidth(24);
        line.setUsageHelpWidth(110);
        line.setParameterExceptionHandler((wrong, args) -> {
            PrintWriter err = wrong.getCommandLine().getErr();
            err.println(wrong.getMessage());
            if (!CommandLine.UnmatchedArgumentException.printSuggestions(wrong, err)) {
                err.println("Try '" + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
            }
            return WRONG_USAGE;
        });
        line.setExecutionExceptionHandler((failure, command, parsed) -> tell(failure, command.getErr()));
        return line;
    }

    /** Without a command there is nothing to do. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Say what to do: serve, demo, bench, user or device. 'pushbridge demo' is a good start.");
    }

    private static int tell(Exception failure, PrintWriter err) {
        if (failure instanceof ConfigException config) {
            config.problems().forEach(err::println);
            return WRONG_USAGE;
        } else if (failure instanceof CannotStart) {
            err.println(failure.getMessage());
            return WRONG_USAGE;
        } else if (failure instanceof CommandFailed) {
            err.println(failure.getMessage());
            return FAILED;
        }
        err.println("This should not have happened; please report it with these lines:");
        failure.printStackTrace(err);
        return FAILED;
    }

    /** From the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {
                "Pushbridge " + (version == null ? "(not from a jar)" : version),
                "Java " + Runtime.version() + ", " + System.getProperty("java.vm.name") + ", "
                        + System.getProperty("java.home"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch")
            };
        }
    }
}
